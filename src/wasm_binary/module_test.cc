// Laws of the reader of modules: what it finds, that no prefix and no wrong byte gets through as
// whole, and what it calls things.

#include "wasm_binary/module.h"
#include "wasm_binary/testing/bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ic::wasm_binary {
namespace {

using testing::HasSubstr;

std::string refusal(const Bytes& bytes) {
    const Result<Module> read = parse(bytes);
    if (read) {
        return "none";
    }
    EXPECT_EQ(read.error().code, Errc::module_invalid);
    return read.error().message;
}

TEST(Module, FindsAllThatAModuleDeclares) {
    const Bytes bytes = command_module();
    const Result<Module> read = parse(bytes);
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ(read->imports.size(), 1U);
    EXPECT_EQ(read->imports[0].module, "wasi_snapshot_preview1");
    EXPECT_EQ(read->imports[0].name, "proc_exit");
    EXPECT_EQ(read->type_text(ItemKind::function, 0), "(i32) -> ()");
    EXPECT_EQ(read->type_text(ItemKind::table, 0), "funcref, 3 or more elements");
    EXPECT_EQ(read->type_text(ItemKind::memory, 0), "1 to 2 pages");
    EXPECT_EQ(read->type_text(ItemKind::global, 0), "mutable i64");
    ASSERT_EQ(read->exports.size(), 3U);
    EXPECT_EQ(read->exports[1], (Export{"_start", ItemKind::function, 1}));
    EXPECT_EQ(read->role(), Role::command);
    EXPECT_EQ(read->data_bytes, 2U);
    EXPECT_FALSE(read->start.has_value());
    EXPECT_TRUE(read->features.has(Feature::mutable_globals));
    EXPECT_FALSE(read->features.has(Feature::bulk_memory));
}

TEST(Module, ReadsWhatCustomSectionsSay) {
    const Bytes bytes = command_module();
    const Result<Module> read = parse(bytes);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->custom.size(), 3U);
    EXPECT_EQ(dwarf_bytes(read->custom), 3U);
    ASSERT_TRUE(names_of(read->custom));
    EXPECT_EQ(names_of(read->custom)->module, "me");
    EXPECT_EQ(names_of(read->custom)->functions, 1U);
    EXPECT_THAT(producers_of(read->custom),
                testing::ElementsAre(Producer{"language", "C11", "17.0"}));
}

TEST(Module, ACustomSectionThatIsWrongInsideMakesNothingInvalid) {
    const Bytes bytes = module_of({with_length(0, joined({named("name"), {0, 9, 2}})),
                                   with_length(0, joined({named("producers"), {9, 9}}))});
    const Result<Module> read = parse(bytes);
    ASSERT_TRUE(read);
    EXPECT_FALSE(names_of(read->custom));
    EXPECT_TRUE(producers_of(read->custom).empty());
}

TEST(Module, EveryCutIsRefusedButBetweenSectionsThatNeedNoOther) {
    const Bytes bytes = command_module();
    const Result<Module> whole = parse(bytes);
    ASSERT_TRUE(whole);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const Result<Module> cut = parse(ByteView{bytes}.first(size));
        bool between = size == 8;
        for (const Section& section : whole->sections) {
            between = between || size == section.offset + section.bytes;
        }
        if (!between) {
            EXPECT_FALSE(cut) << size;
        } else if (cut) { // Then nothing of what is there is missing its other half.
            EXPECT_LE(cut->sections.size(), whole->sections.size());
        }
    }
    // From the function section on to the code, a function would be without its code.
    const Section& functions = whole->sections[2];
    EXPECT_FALSE(parse(ByteView{bytes}.first(functions.offset + functions.bytes)));
}

TEST(Module, EveryByteTurnedOverEndsCleanly) {
    const Bytes bytes = command_module();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (const int change : {1, 0x40, 0x80, 0xff}) {
            Bytes other = bytes;
            other[i] = static_cast<std::uint8_t>(other[i] ^ change);
            const Result<Module> read = parse(other);
            EXPECT_TRUE(read.ok() || !read.error().message.empty());
        }
    }
}

TEST(Module, NamesWhatIsNoModule) {
    EXPECT_THAT(refusal({'#', '!', '/', 'b', 'i', 'n', '/', 's', 'h'}), HasSubstr("\\0asm"));
    EXPECT_THAT(refusal({}), HasSubstr("no WebAssembly module"));
    EXPECT_THAT(refusal({' ', '(', 'm', ')'}), HasSubstr("wat2wasm"));
    EXPECT_THAT(refusal({0, 'a', 's', 'm', 0x0d, 0, 1, 0}), HasSubstr("component"));
    EXPECT_THAT(refusal({0, 'a', 's', 'm', 2, 0, 0, 0}), HasSubstr("version"));
}

TEST(Module, RefusesSectionsOutOfOrderOrTwice) {
    const Bytes memory = with_length(5, {1, 0, 1});
    const Bytes types = with_length(1, {0});
    EXPECT_EQ(refusal(module_of({types, memory})), "none");
    EXPECT_THAT(refusal(module_of({memory, types})), HasSubstr("out of order"));
    EXPECT_THAT(refusal(module_of({memory, memory})), HasSubstr("out of order"));
    EXPECT_THAT(refusal(module_of({with_length(14, {})})), HasSubstr("unknown kind"));
}

TEST(Module, RefusesWhatPointsNowhere) {
    EXPECT_THAT(refusal(module_of({with_length(3, {1, 0})})), HasSubstr("type that is not there"));
    EXPECT_THAT(refusal(module_of({with_length(7, joined({{1}, named("x"), {0, 0}}))})),
                HasSubstr("export of what is not there"));
    EXPECT_THAT(refusal(module_of({with_length(8, {0})})), HasSubstr("start function"));
    EXPECT_THAT(
        refusal(module_of({with_length(5, {1, 0, 1}),
                           with_length(7, joined({{2}, named("x"), {2, 0}, named("x"), {2, 0}}))})),
        HasSubstr("two exports of one name"));
}

TEST(Module, RefusesBytesBehindTheEndOfASection) {
    EXPECT_THAT(refusal(module_of({with_length(5, {1, 0, 1, 0})})), HasSubstr("behind its end"));
}

TEST(Module, ADeclaredCountReservesNothing) {
    // A million types are said to follow in a section of 4 bytes: refused before any is made.
    EXPECT_THAT(refusal(module_of({with_length(1, {0xc0, 0x84, 0x3d, 0x60})})),
                HasSubstr("too early"));
    EXPECT_THAT(refusal(module_of({with_length(1, {0xc1, 0x84, 0x3d, 0x60})})),
                HasSubstr("more than 1000000 types"));
}

TEST(Module, TakesAHundredMemoriesAndRefusesOneMore) {
    const auto with_memories = [](std::uint8_t count) {
        Bytes content{count};
        for (int i = 0; i < count; ++i) {
            content.push_back(0);
            content.push_back(0);
        }
        Bytes section{5,
                      static_cast<std::uint8_t>(0x80U | (content.size() & 0x7fU)),
                      static_cast<std::uint8_t>(content.size() >> 7U)};
        section.insert(section.end(), content.begin(), content.end());
        return module_of({section});
    };
    EXPECT_EQ(refusal(with_memories(100)), "none");
    EXPECT_THAT(refusal(with_memories(101)), HasSubstr("more than 100 memories"));
}

TEST(Module, KnowsReactorsAndLibraries) {
    const Bytes types = with_length(1, {1, 0x60, 0, 0});
    const auto with_export = [&](std::string_view name) {
        return module_of({types,
                          with_length(3, {1, 0}),
                          with_length(7, joined({{1}, named(name), {0, 0}})),
                          with_length(10, {1, 2, 0, 0x0b})});
    };
    const Bytes reactor = with_export("_initialize");
    const Bytes library = with_export("handler");
    EXPECT_EQ(parse(reactor)->role(), Role::reactor);
    EXPECT_EQ(parse(library)->role(), Role::library);
}

} // namespace
} // namespace ic::wasm_binary
