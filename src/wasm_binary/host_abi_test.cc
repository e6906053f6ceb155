// Laws of the host's side: who is refused, in which words, and what a handler is given.

#include "wasm_binary/host_abi.h"
#include "wasm_binary/testing/bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

namespace ic::wasm_binary {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// One import of a function (i32) -> ().
Bytes with_import(std::string_view module, std::string_view name) {
    return module_of({with_length(1, {1, 0x60, 1, 0x7f, 0}),
                      with_length(2, joined({{1}, named(module), named(name), {0, 0}}))});
}

Error refusal_of(const Bytes& bytes) {
    const Result<Module> module = parse(bytes);
    EXPECT_TRUE(module) << module.error().message;
    const Result<void> checked = check_host(*module);
    return checked ? Error{Errc::internal, "none"} : checked.error();
}

TEST(HostAbi, TablesAreSortedSoThatEveryFunctionIsFound) {
    EXPECT_EQ(wasi_functions().size(), 46U);
    EXPECT_EQ(compute_functions().size(), 12U);
    EXPECT_TRUE(std::ranges::is_sorted(wasi_functions(), {}, &HostFunction::name));
    EXPECT_TRUE(std::ranges::is_sorted(compute_functions(), {}, &HostFunction::name));
    for (const HostFunction& function : wasi_functions()) {
        EXPECT_EQ(host_function("wasi_snapshot_preview1", function.name), &function);
        EXPECT_EQ(host_function("env", function.name), nullptr);
    }
    for (const HostFunction& function : compute_functions()) {
        EXPECT_EQ(host_function("env", function.name), &function);
        EXPECT_EQ(host_function("ipfs_compute", function.name), &function);
    }
}

TEST(HostAbi, TakesAnImportOfTheRightTypeAndNamesTheTypeOfAnother) {
    EXPECT_EQ(refusal_of(with_import("wasi_snapshot_preview1", "proc_exit")).message, "none");
    const Error error = refusal_of(with_import("wasi_snapshot_preview1", "fd_close"));
    EXPECT_EQ(error.code, Errc::import_missing);
    EXPECT_THAT(error.message, HasSubstr("wasi_snapshot_preview1.fd_close"));
    EXPECT_THAT(error.message, HasSubstr("imported as (i32) -> (i32)"));
}

TEST(HostAbi, NamesAMissingImportAndTheOneThatWasMeant) {
    EXPECT_THAT(refusal_of(with_import("env", "ipfsComputeLogg")).message,
                AllOf(HasSubstr("env.ipfsComputeLogg"), HasSubstr("mean ipfsComputeLog?")));
    EXPECT_THAT(refusal_of(with_import("wasi_unstable", "proc_exit")).message,
                HasSubstr("only wasi_snapshot_preview1 is here"));
    EXPECT_THAT(refusal_of(with_import("env", "pthread_create")).message,
                HasSubstr("nobody defines it"));
    EXPECT_THAT(refusal_of(with_import("__wbindgen_placeholder__", "__wbg_x")).message,
                HasSubstr("wasm32-wasip1"));
    EXPECT_THAT(refusal_of(with_import("wasi:cli/run@0.2.0", "run")).message,
                HasSubstr("components"));
}

TEST(HostAbi, ShowsFiveMissingImportsAndCountsTheRest) {
    Bytes list{7};
    for (const char* name : {"a1", "b2", "c3", "d4", "e5", "f6", "g7"}) {
        list = joined({list, named("x"), named(name), {0, 0}});
    }
    const Error error =
        refusal_of(module_of({with_length(1, {1, 0x60, 1, 0x7f, 0}), with_length(2, list)}));
    EXPECT_THAT(error.message, AllOf(HasSubstr("x.e5"), HasSubstr("and 2 more")));
    EXPECT_THAT(error.message, testing::Not(HasSubstr("x.f6")));
}

TEST(HostAbi, RefusesAnImportedMemory) {
    EXPECT_THAT(refusal_of(module_of({with_length(
                               2, joined({{1}, named("env"), named("memory"), {2, 0, 1}}))}))
                    .message,
                HasSubstr("its own memory"));
}

TEST(HostAbi, RefusesAFeatureThatIsOffWithItsRemedy) {
    const Error error = refusal_of(module_of({with_length(5, {1, 3, 1, 1})}));
    EXPECT_EQ(error.code, Errc::module_invalid);
    EXPECT_THAT(error.message,
                AllOf(HasSubstr("threads"), HasSubstr("offset 0xb"), HasSubstr("without threads")));
    EXPECT_THAT(refusal_of(module_of({with_length(5, {1, 4, 1})})).message, HasSubstr("wasm32"));
}

TEST(HostAbi, OnlyTheNetworkKeepsAModuleFromBeingPure) {
    const Bytes exits = with_import("wasi_snapshot_preview1", "proc_exit");
    EXPECT_TRUE(can_be_pure(*parse(exits)));
    const Bytes curls =
        module_of({with_length(1, {1, 0x60, 2, 0x7f, 0x7f, 1, 0x7e}),
                   with_length(2, joined({{1}, named("env"), named("ipfsComputeCurl"), {0, 0}}))});
    EXPECT_EQ(refusal_of(curls).message, "none");
    EXPECT_FALSE(can_be_pure(*parse(curls)));
}

// --- handlers -----------------------------------------------------------------------------------

const std::vector<std::string_view> no_names;

Result<std::vector<std::uint64_t>> given(const FunctionType& type,
                                         const std::vector<std::string>& arguments) {
    return handler_arguments("run", &type, no_names, arguments);
}

TEST(Handler, GetsItsNumbersAsBits) {
    const FunctionType type{.parameters = {i32, i64, f32, f64}, .results = {i64}};
    EXPECT_THAT(*given(type, {"-1", "18446744073709551615", "2.5", "-1e300"}),
                ElementsAre(0xffff'ffffU,
                            ~std::uint64_t{0},
                            std::bit_cast<std::uint32_t>(2.5F),
                            std::bit_cast<std::uint64_t>(-1e300)));
    EXPECT_THAT(*given({.parameters = {i32}, .results = {}}, {"0xffffffff"}),
                ElementsAre(0xffff'ffffU));
}

TEST(Handler, RefusesNumbersThatDoNotFit) {
    for (const char* text :
         {"4294967296", "-2147483649", "0x100000000", "-0x1", "1.5", "", "one"}) {
        const auto read = given({.parameters = {i32}, .results = {}}, {text});
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().code, Errc::handler_signature);
        EXPECT_THAT(read.error().message, HasSubstr("fits i32")) << text;
    }
}

TEST(Handler, WithoutParametersTakesAnyArguments) { EXPECT_TRUE(given({}, {"a", "b"})->empty()); }

TEST(Handler, SaysWhatItTakesAndGives) {
    EXPECT_THAT(given({.parameters = {i32, f64}, .results = {}}, {"1"}).error().message,
                AllOf(HasSubstr("(i32, f64)"), HasSubstr("1 arguments were given")));
    EXPECT_THAT(given({.parameters = {}, .results = {f64}}, {}).error().message,
                HasSubstr("gives (f64)"));
    EXPECT_THAT(given({.parameters = {}, .results = {i32, i32}}, {}).error().message,
                HasSubstr("nothing or one integer"));
    EXPECT_THAT(given({.parameters = {v128}, .results = {}}, {"1"}).error().message,
                HasSubstr("takes (v128)"));
}

TEST(Handler, ThatIsMissingListsTheExports) {
    const std::vector<std::string_view> names{"one", "two"};
    const auto read = handler_arguments("three", nullptr, names, {});
    EXPECT_EQ(read.error().code, Errc::handler_missing);
    EXPECT_THAT(read.error().message, AllOf(HasSubstr("`three`"), HasSubstr("one, two")));
}

} // namespace
} // namespace ic::wasm_binary
