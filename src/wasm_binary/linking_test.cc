// Laws of linking: in which order modules start, and what is refused before anything runs.

#include "wasm_binary/host_abi.h"
#include "wasm_binary/linking.h"
#include "wasm_binary/testing/bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace ic::wasm_binary {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Names = std::vector<std::string_view>;

constexpr std::uint8_t i32_code = 0x7f;
constexpr std::uint8_t i64_code = 0x7e;

/// (import MODULE NAME (func (param PARAMETER))) for each, the export "run": () -> (), and "go":
/// the first of what it imports.
Bytes importer(const std::vector<std::pair<std::string, std::string>>& imports,
               std::uint8_t parameter = i32_code) {
    Bytes list{static_cast<std::uint8_t>(imports.size())};
    for (const auto& [module, name] : imports) {
        list = joined({list, named(module), named(name), {0, 0}});
    }
    const auto run = static_cast<std::uint8_t>(imports.size());
    return module_of({with_length(1, {2, 0x60, 1, parameter, 0, 0x60, 0, 0}),
                      with_length(2, list),
                      with_length(3, {1, 1}),
                      with_length(7, joined({{2}, named("run"), {0, run}, named("go"), {0, 0}})),
                      with_length(10, {1, 2, 0, 0x0b})});
}

/// Exports a function (param PARAMETER) under this name.
Bytes exporter(std::string_view name, std::uint8_t parameter = i32_code) {
    return module_of({with_length(1, {1, 0x60, 1, parameter, 0}),
                      with_length(3, {1, 0}),
                      with_length(7, joined({{1}, named(name), {0, 0}})),
                      with_length(10, {1, 2, 0, 0x0b})});
}

struct Library {
    std::string_view name;
    std::optional<Bytes> bytes; ///< Nothing: not here.
};

Error refusal_of(const Bytes& main, const std::vector<Library>& libraries) {
    std::vector<Module> modules;
    modules.reserve(libraries.size());
    std::vector<LinkedModule> linked;
    for (const Library& library : libraries) {
        linked.push_back({library.name, nullptr});
        if (library.bytes) {
            modules.push_back(parse(*library.bytes).take());
            linked.back().module = &modules.back();
        }
    }
    const Module module = parse(main).take();
    const Result<void> checked = check_linked_job(module, linked, "run", {});
    return checked ? Error{Errc::internal, "none"} : checked.error();
}

TEST(LinkOrder, StartsWhatIsNeededBeforeWhatNeedsItAndElseByName) {
    const std::vector<Needs> linked{{"a", {"d"}}, {"b", {}}, {"c", {"a"}}, {"d", {}}, {"e", {}}};
    EXPECT_THAT(*link_order(Names{"b", "c"}, linked), ElementsAre(1U, 3U, 0U, 2U));
    EXPECT_THAT(*link_order(Names{}, linked), ElementsAre());
}

TEST(LinkOrder, StartsAModuleOnceThatSeveralNeed) {
    const std::vector<Needs> linked{{"a", {"c"}}, {"b", {"c"}}, {"c", {}}};
    EXPECT_THAT(*link_order(Names{"a", "b", "c"}, linked), ElementsAre(2U, 0U, 1U));
}

TEST(LinkOrder, RefusesModulesThatNeedThemselves) {
    const auto alone = link_order(Names{"a"}, std::vector<Needs>{{"a", {"a"}}});
    ASSERT_FALSE(alone);
    EXPECT_EQ(alone.error().code, Errc::module_invalid);
    const auto circle = link_order(Names{"a"}, std::vector<Needs>{{"a", {"b"}}, {"b", {"a"}}});
    ASSERT_FALSE(circle);
    EXPECT_EQ(circle.error().code, Errc::module_invalid);
    EXPECT_THAT(circle.error().message, HasSubstr("`a` needs itself"));
}

TEST(LinkOrder, SaysWhatIsNotThereAndWhoWantsIt) {
    const auto order = link_order(Names{"a"}, std::vector<Needs>{{"a", {"zlib"}}});
    ASSERT_FALSE(order);
    EXPECT_EQ(order.error().code, Errc::import_missing);
    EXPECT_THAT(order.error().message,
                AllOf(HasSubstr("import `a`"), HasSubstr("--import zlib=CID")));
}

TEST(Linking, NeedsAreTheModulesThatAreNotTheHost) {
    const Bytes bytes = importer({{"b", "x"}, {"env", "x"}, {"a", "y"}, {"b", "z"}});
    const Module module = parse(bytes).take();
    EXPECT_THAT(needs_of(module), ElementsAre("a", "b"));
}

TEST(Linking, TakesWhatFits) {
    EXPECT_EQ(refusal_of(importer({{"math", "add"}}), {{"math", exporter("add")}}).message, "none");
    EXPECT_EQ(refusal_of(importer({{"math", "add"}}), {{"math", std::nullopt}}).message, "none");
}

TEST(Linking, AnImportThatNothingIsNamedForSaysHowToNameIt) {
    const Error error = refusal_of(importer({{"math", "add"}}), {});
    EXPECT_EQ(error.code, Errc::import_missing);
    EXPECT_THAT(error.message, AllOf(HasSubstr("math.add"), HasSubstr("--import math=CID")));
}

TEST(Linking, RefusesAMissingExportAndNamesTheNearest) {
    const Error near = refusal_of(importer({{"math", "adds"}}), {{"math", exporter("add")}});
    EXPECT_EQ(near.code, Errc::import_missing);
    EXPECT_THAT(near.message, AllOf(HasSubstr("math.adds"), HasSubstr("did you mean add?")));
    const Error far = refusal_of(importer({{"math", "multiply"}}), {{"math", exporter("add")}});
    EXPECT_THAT(far.message, HasSubstr("it exports add"));
}

TEST(Linking, RefusesAnExportOfAnotherTypeAndShowsBoth) {
    const Error error =
        refusal_of(importer({{"math", "add"}}), {{"math", exporter("add", i64_code)}});
    EXPECT_EQ(error.code, Errc::import_missing);
    EXPECT_THAT(error.message, AllOf(HasSubstr("(i32) -> ()"), HasSubstr("(i64) -> ()")));
}

TEST(Linking, RefusesAMemoryThatIsSmallerThanImported) {
    const auto wants = [](std::uint8_t pages) {
        return module_of(
            {with_length(1, {1, 0x60, 0, 0}),
             with_length(2, joined({{1}, named("lib"), named("memory"), {2, 0, pages}})),
             with_length(3, {1, 0}),
             with_length(7, joined({{1}, named("run"), {0, 0}})),
             with_length(10, {1, 2, 0, 0x0b})});
    };
    const Bytes gives = module_of(
        {with_length(5, {1, 0, 2}), with_length(7, joined({{1}, named("memory"), {2, 0}}))});
    EXPECT_EQ(refusal_of(wants(2), {{"lib", gives}}).message, "none");
    EXPECT_EQ(refusal_of(wants(3), {{"lib", gives}}).code, Errc::import_missing);
}

TEST(Linking, ChecksWhatImportsImport) {
    const Bytes middle = importer({{"low", "gone"}});
    const Error error =
        refusal_of(importer({{"middle", "go"}}), {{"low", exporter("there")}, {"middle", middle}});
    EXPECT_THAT(error.message, AllOf(HasSubstr("import `middle`"), HasSubstr("low.gone")));
    const Error host =
        refusal_of(importer({{"middle", "go"}}), {{"middle", importer({{"env", "nowhere"}})}});
    EXPECT_EQ(host.code, Errc::import_missing);
}

TEST(Linking, RefusesAnImportThatNobodyUses) {
    const Error error = refusal_of(importer({{"math", "add"}}),
                                   {{"math", exporter("add")}, {"maths", exporter("add")}});
    EXPECT_EQ(error.code, Errc::usage);
    EXPECT_THAT(error.message, HasSubstr("`maths`"));
    // The only one that uses it is not used itself.
    EXPECT_EQ(
        refusal_of(importer({}), {{"low", exporter("x")}, {"top", importer({{"low", "x"}})}}).code,
        Errc::usage);
}

TEST(Linking, RefusesACircle) {
    const Error error = refusal_of(
        importer({{"a", "go"}}), {{"a", importer({{"b", "go"}})}, {"b", importer({{"a", "go"}})}});
    EXPECT_EQ(error.code, Errc::module_invalid);
}

} // namespace
} // namespace ic::wasm_binary
