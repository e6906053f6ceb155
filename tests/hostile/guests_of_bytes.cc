// Modules that are none, that use what is switched off, or that have more of something than is
// allowed. Binary format: WebAssembly core specification 2.0, section 5.

#include "executor/wasm/testing/guests.h"
#include "hostile/guests.h"
#include "multiformats/varint.h"

#include <initializer_list>

namespace ic::hostile {
namespace {

// Sections.
constexpr std::uint8_t types = 1;
constexpr std::uint8_t imports = 2;
constexpr std::uint8_t functions = 3;
constexpr std::uint8_t tables = 4;
constexpr std::uint8_t memories = 5;
constexpr std::uint8_t exports = 7;
constexpr std::uint8_t codes = 10;

void append(Bytes& out, const Bytes& more) { out.insert(out.end(), more.begin(), more.end()); }

Bytes number(std::uint64_t value) {
    Bytes out;
    append_varint(out, value);
    return out;
}

Bytes section(std::uint8_t id, const Bytes& content) {
    Bytes out{id};
    append(out, number(content.size()));
    append(out, content);
    return out;
}

Bytes module_of(std::initializer_list<Bytes> sections) {
    Bytes out{0x00, 'a', 's', 'm', 1, 0, 0, 0};
    for (const Bytes& each : sections) {
        append(out, each);
    }
    return out;
}

/// `run`, () -> (), with this body (locals and `end` included).
Bytes one_function(const Bytes& body) {
    Bytes code{1};
    append(code, number(body.size()));
    append(code, body);
    return module_of({section(types, {1, 0x60, 0, 0}),
                      section(functions, {1, 0}),
                      section(exports, {1, 3, 'r', 'u', 'n', 0, 0}),
                      section(codes, code)});
}

Bytes many_functions(std::uint64_t count) {
    Bytes declared = number(count);
    declared.resize(declared.size() + count, 0);
    Bytes code = number(count);
    for (std::uint64_t index = 0; index < count; ++index) {
        append(code, {2, 0, 0x0b});
    }
    return module_of({section(types, {1, 0x60, 0, 0}),
                      section(functions, declared),
                      section(exports, {1, 3, 'r', 'u', 'n', 0, 0}),
                      section(codes, code)});
}

/// A function with this many locals, all read at its end, which calls itself.
Bytes many_locals(std::uint64_t count) {
    Bytes body{1};
    append(body, number(count));
    append(body, {0x7f});
    append(body, {0x10, 0}); // call 0
    for (std::uint64_t local = 0; local < count; ++local) {
        body.push_back(0x20); // local.get
        append(body, number(local));
        body.push_back(0x1a); // drop
    }
    body.push_back(0x0b);
    return one_function(body);
}

Bytes many_targets(std::uint64_t count) {
    Bytes body{0, 0x41, 0, 0x0e}; // i32.const 0, br_table
    append(body, number(count));
    body.resize(body.size() + count, 0);
    append(body, {0, 0x0b});
    return one_function(body);
}

Bytes deep_blocks(std::uint64_t count) {
    Bytes body{0};
    for (std::uint64_t index = 0; index < count; ++index) {
        append(body, {0x02, 0x40});
    }
    body.push_back(0x00); // unreachable
    body.resize(body.size() + count + 1, 0x0b);
    return one_function(body);
}

Guest bytes(std::string name, std::string ends, Bytes module) {
    return {.name = std::move(name),
            .module = [module = std::move(module)](Host&) { return module; },
            .ends = std::move(ends)};
}

Guest text(std::string name, std::string ends, const std::string& wat) {
    return bytes(std::move(name), std::move(ends), executor::wasm::wasm_of(wat));
}

Bytes of_text(std::string_view content) { return copy_of(bytes_of(content)); }

std::vector<Guest> switched_off() {
    const std::string run = "(func (export \"run\"))";
    return {
        text("Threads", "module-invalid", "(module (memory 1 1 shared)" + run + ")"),
        text("UnalignedAtomics",
             "module-invalid",
             "(module (memory 1) (func (export \"run\")"
             "(drop (i32.atomic.rmw.add (i32.const 1) (i32.const 1)))))"),
        text("Memory64", "module-invalid", "(module (memory i64 1)" + run + ")"),
        text("TwoMemories", "module-invalid", "(module (memory 1) (memory 1)" + run + ")"),
        text(
            "Exceptions", "module-invalid", "(module (tag $t) (func (export \"run\") (throw $t)))"),
        text("GarbageCollection",
             "module-invalid",
             "(module (type $s (struct (field i32)))"
             "(func (export \"run\") (drop (struct.new_default $s))))"),
        text("RelaxedSimd",
             "module-invalid",
             "(module (func (export \"run\") (drop (i8x16.relaxed_swizzle"
             "(v128.const i64x2 0 0) (v128.const i64x2 0 0)))))"),
        text("AComponent", "module-invalid", "(component)"),
    };
}

std::vector<Guest> broken() {
    Bytes wrong_version{0x00, 'a', 's', 'm', 9, 0, 0, 0};
    Bytes truncated = guest("(drop (i32.const 1))");
    truncated.resize(truncated.size() - 3);
    return {
        bytes("NothingAtAll", "module-invalid", {}),
        bytes("AWrongMagic",
              "module-invalid",
              of_text("\x7f"
                      "ELF and so on and so on")),
        bytes("AWrongVersion", "module-invalid", wrong_version),
        bytes("WebAssemblyText", "module-invalid", of_text("(module)")),
        bytes("AWebPage", "module-invalid", of_text("<!doctype html><title>404</title>")),
        bytes("ATruncatedModule", "module-invalid", truncated),
        bytes("AnUnknownSection", "module-invalid", module_of({section(77, {1, 2, 3})})),
        bytes("ASectionThatLiesAboutItsSize", "module-invalid", module_of({Bytes{types, 100, 1}})),
        bytes("SectionsOutOfOrder",
              "module-invalid",
              module_of({section(functions, {0}), section(types, {0})})),
        bytes("ACountThatLies",
              "module-invalid",
              module_of({section(types, {0xff, 0xff, 0xff, 0xff, 0x0f})})),
        bytes("ANumberThatIsTooLong",
              "module-invalid",
              module_of({section(types, {0x80, 0x80, 0x80, 0x80, 0x80, 0x01})})),
        bytes("ANameThatIsNoUtf8",
              "module-invalid",
              module_of({section(types, {1, 0x60, 0, 0}),
                         section(imports, {1, 2, 0xff, 0xfe, 1, 'x', 0, 0})})),
        bytes("ACodeWithoutAnEnd", "module-invalid", one_function({0, 0x01})),
        bytes("AStackThatUnderflows", "module-invalid", one_function({0, 0x1a, 0x0b})),
        bytes("ATypeThatIsNotThere",
              "module-invalid",
              module_of({section(functions, {1, 5}), section(codes, {1, 2, 0, 0x0b})})),
        bytes("AFunctionWithoutCode",
              "module-invalid",
              module_of({section(types, {1, 0x60, 0, 0}), section(functions, {1, 0})})),
    };
}

std::vector<Guest> too_many() {
    std::string seventeen_tables = "(module ";
    for (int table = 0; table < 17; ++table) {
        seventeen_tables += "(table 1 funcref)";
    }
    return {
        bytes("LocalsBeyondTheLimit", "module-invalid", many_locals(50'001)),
        bytes("TheMostLocals", "trap-stack", many_locals(50'000)),
        bytes("ABranchOfAHundredThousandTargets", "module-invalid", many_targets(100'000)),
        bytes("BlocksAHundredThousandDeep", "trap-unreachable", deep_blocks(100'000)),
        bytes("AHundredThousandFunctions", "ok", many_functions(100'000)),
        bytes("AMemoryBeyondAnyMemory",
              "module-invalid",
              module_of({section(memories, {1, 0, 0x81, 0x80, 0x04})})),
        bytes("ATableBeyondAnyTable",
              "module-invalid",
              module_of({section(tables, {1, 0x70, 0, 0xff, 0xff, 0xff, 0xff, 0x0f})})),
        text("SeventeenTables", "module-invalid", seventeen_tables + "(func (export \"run\")))"),
    };
}

} // namespace

std::vector<Guest> guests_of_bytes() {
    std::vector<Guest> all;
    for (const auto& some : {switched_off(), broken(), too_many()}) {
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

} // namespace ic::hostile
