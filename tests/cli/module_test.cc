/// `module inspect`, and modules that `submit` and `run` refuse before anything is sent.

#include "cli/desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ic::cli_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view clock_reader = R"((module
  (import "wasi_snapshot_preview1" "clock_time_get" (func (param i32 i64 i32) (result i32)))
  (import "env" "ipfsComputeLog" (func (param i32 i32) (result i64)))
  (memory (export "memory") 1 2)
  (func (export "_initialize"))
  (func (export "sum") (param i32 f64) (result i64) (i64.const 3))
  (func (export "pair") (result i32 i32) (i32.const 1) (i32.const 2))))";

TEST(ModuleInspect, SaysWhatAFileImportsExportsAndNeeds) {
    const Desk desk;
    const Finished shown = desk({"module", "inspect", desk.wasm("m.wasm", clock_reader)});
    EXPECT_EQ(shown.status, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("Kind:         reactor\n"));
    EXPECT_THAT(shown.out, HasSubstr("Runs here:    yes\n"));
    EXPECT_THAT(shown.out, HasSubstr("Sees:         clock; a pure job gets a virtual clock\n"));
    EXPECT_THAT(shown.out, HasSubstr("Features:     multi-value\n"));
    EXPECT_THAT(shown.out, HasSubstr("Memory:       1 to 2 pages of 64 KiB\n"));
    EXPECT_THAT(shown.out, HasSubstr("Host calls:   ipfsComputeLog\n"));
    EXPECT_THAT(shown.out, HasSubstr("  sum (i32, f64) -> (i64)\n"));
    EXPECT_THAT(shown.out, HasSubstr("  env.ipfsComputeLog  function (i32, i32) -> (i64)\n"));
    EXPECT_THAT(shown.out, HasSubstr("Compiled:    "));
}

TEST(ModuleInspect, PrintsTheSameOfACidAsJson) {
    const Desk desk;
    const std::string file = desk.wasm("m.wasm", clock_reader);
    std::string cid = desk({"add", "-Q", file}).out;
    cid.pop_back();
    const nlohmann::json json = json_of(desk({"module", "inspect", "--json", cid}).out);
    EXPECT_EQ(json["module"], cid);
    EXPECT_EQ(json["kind"], "reactor");
    EXPECT_EQ(json["runs_here"], true);
    EXPECT_EQ(json["can_be_pure"], true);
    EXPECT_EQ(json["sees"], nlohmann::json({"clock"}));
    EXPECT_EQ(json["wasi"], nlohmann::json({"clock_time_get"}));
    EXPECT_EQ(json["host_functions"], nlohmann::json({"ipfsComputeLog"}));
    EXPECT_EQ(json["imports"].size(), 2U);
    EXPECT_EQ(json["exports"].size(), 4U);
    EXPECT_EQ(json["handlers"].size(), 2U) << "not the one that gives two numbers";
    EXPECT_EQ(json["memories"][0]["maximum"], 2);
    EXPECT_EQ(json["features"][0]["name"], "multi-value");
    EXPECT_GT(json["compiled"]["bytes"].get<int>(), 0);
    // What was compiled is kept for a run.
    const nlohmann::json again = json_of(desk({"module", "inspect", "--json", cid}).out);
    EXPECT_EQ(again["compiled"]["was_there"], true);
}

TEST(ModuleInspect, CompilesNothingAndOpensNoHomeIfToldSo) {
    const Desk desk;
    const std::string file = desk.wasm("m.wasm", clock_reader);
    const Finished shown =
        desk({"module", "inspect", "--no-compile", "--json", "--home", "/dev/null/no", file});
    EXPECT_EQ(shown.status, 0) << shown.err;
    EXPECT_TRUE(json_of(shown.out)["compiled"].is_null());
}

TEST(ModuleInspect, SaysWhyAModuleCannotRunHereAndStillShowsIt) {
    const Desk desk;
    const std::string file = desk.wasm("m.wasm", R"((module (import "env" "ipfsComputeLgo" (func))
        (memory 1 1 shared) (func (export "run"))))");
    const Finished shown = desk({"module", "inspect", "--json", file});
    EXPECT_EQ(shown.status, 0) << shown.err;
    const nlohmann::json json = json_of(shown.out);
    EXPECT_EQ(json["runs_here"], false);
    EXPECT_EQ(json["error"], "module-invalid");
    EXPECT_THAT(json["message"].get<std::string>(), HasSubstr("threads"));
    EXPECT_EQ(json["can_be_pure"], false);
    EXPECT_TRUE(json["compiled"].is_null());
    EXPECT_EQ(json["exports"].size(), 1U);
}

/// A module with a custom section of so many bytes.
std::string module_of(std::size_t bytes) {
    using namespace std::string_literals;
    std::string wasm = "\0asm\1\0\0\0\0"s;
    for (std::size_t rest = bytes + 1; rest > 0; rest >>= 7U) {
        wasm.push_back(static_cast<char>((rest & 0x7fU) | (rest > 0x7fU ? 0x80U : 0U)));
    }
    return wasm + '\0' + std::string(bytes, 'x');
}

TEST(ModuleInspect, SaysNoOfWhatSubmitAndCompilersRefuse) {
    const Desk desk;
    // (module (memory 65537) (func (export "h"))): one page more than there can be.
    using namespace std::string_literals;
    const std::string compiled = desk.file("m.wasm",
                                           "\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\5\5\1\0\x81\x80\4"
                                           "\7\5\1\1h\0\0\x0a\4\1\2\0\x0b"s);
    const Finished shown = desk({"module", "inspect", compiled});
    EXPECT_EQ(shown.status, 0) << shown.err;
    EXPECT_THAT(shown.out, HasSubstr("Runs here:    no: "));
    EXPECT_THAT(shown.out, HasSubstr("Can be pure:  no\n"));
    const nlohmann::json json = json_of(desk({"module", "inspect", "--json", compiled}).out);
    EXPECT_EQ(json["runs_here"], false);
    EXPECT_EQ(json["error"], json["compile_error"]);
    EXPECT_EQ(json["can_be_pure"], false);

    const std::string large = desk.file("large.wasm", module_of(std::size_t{70} << 20U));
    EXPECT_THAT(desk({"module", "inspect", "--no-compile", large}).out,
                HasSubstr("Runs here:    no: module-too-large: the module has 734"));
    const nlohmann::json large_json =
        json_of(desk({"module", "inspect", "--json", "--no-compile", large}).out);
    EXPECT_EQ(large_json["runs_here"], false);
    EXPECT_EQ(large_json["error"], "module-too-large");
}

TEST(ModuleInspect, NamesWhatIsNoModule) {
    const Desk desk;
    using namespace std::string_literals;
    const std::string component = desk.file("c.wasm", "\0asm\x0d\0\x01\0"s);
    EXPECT_THAT(expect_error(desk({"module", "inspect", component}), 121, "module-invalid"),
                AllOf(HasSubstr("component"), HasSubstr("wasm32-wasip1")));
    expect_error(desk({"module", "inspect", desk.file("t", "text")}), 121, "module-invalid");
    expect_error(desk({"module", "inspect", "/nowhere/x.wasm"}), 124, "not-found");
    expect_error(desk({"module", "inspect"}), 120, "usage");
}

/// The text of the refusal, by both commands the same; nothing is sent.
std::string refusal(const Desk& desk,
                    const std::string& file,
                    const std::vector<std::string>& more,
                    const std::string& code) {
    std::vector<std::string> words{"submit", "--wasm-file", file};
    words.insert(words.end(), more.begin(), more.end());
    const std::string of_submit = expect_error(desk(words), 121, code);
    words[0] = "run";
    EXPECT_EQ(expect_error(desk(words), 121, code), of_submit);
    EXPECT_EQ(desk({"job", "list"}).out.find("baf"), std::string::npos) << "no job was made";
    return of_submit;
}

TEST(ModuleRefused, BeforeItIsSent) {
    const Desk desk;
    const std::string large = desk.file("large.wasm", module_of(std::size_t{70} << 20U));
    EXPECT_THAT(refusal(desk, large, {}, "module-too-large"), HasSubstr("strip debug information"));
    EXPECT_THAT(refusal(desk, desk.kit_file(), {"--module-size", "64"}, "module-too-large"),
                HasSubstr("raise --module-size"));
    expect_error(desk({"submit", "--dry-run", "--wasm-file", large}), 121, "module-too-large");
    EXPECT_THAT(refusal(desk, desk.file("t", "(module)"), {}, "module-invalid"),
                HasSubstr("wat2wasm"));
    EXPECT_THAT(refusal(desk,
                        desk.wasm("i.wasm", R"((module (import "env" "ipfsComputeGett"
                                  (func (param i32 i32) (result i64))) (func (export "_start"))))"),
                        {},
                        "import-missing"),
                HasSubstr("did you mean ipfsComputeGet?"));
    EXPECT_THAT(refusal(desk,
                        desk.wasm("s.wasm", R"((module (memory i64 1) (func (export "_start"))))"),
                        {},
                        "module-invalid"),
                AllOf(HasSubstr("memory64"), HasSubstr("wasm32")));
    const std::string sum = desk.wasm("sum.wasm", clock_reader);
    EXPECT_THAT(refusal(desk, sum, {}, "handler-missing"),
                AllOf(HasSubstr("`_start`"), HasSubstr("_initialize, pair, sum")));
    EXPECT_THAT(refusal(desk, sum, {"--handler", "sum", "--", "1"}, "handler-signature"),
                AllOf(HasSubstr("(i32, f64)"), HasSubstr("1 arguments")));
    EXPECT_THAT(refusal(desk, sum, {"--handler", "sum", "--", "1", "x"}, "handler-signature"),
                HasSubstr("argument 2"));
    EXPECT_THAT(refusal(desk, sum, {"--handler", "pair"}, "handler-signature"),
                HasSubstr("nothing or one integer"));
}

TEST(ModuleRefused, GivesNumbersToOneOfSeveralHandlersOfAReactor) {
    const Desk desk;
    const std::string file = desk.wasm("r.wasm", R"((module (global $base (mut i64) (i64.const 0))
        (func (export "_initialize") (global.set $base (i64.const 1000)))
        (func (export "sum") (param i32 i64 f32 f64) (result i64)
          (i64.add (global.get $base)
            (i64.add (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1))
              (i64.add (i64.trunc_f32_s (f32.mul (local.get 2) (f32.const 2)))
                       (i64.trunc_f64_s (f64.mul (local.get 3) (f64.const 4)))))))
        (func (export "minus") (result i32) (i32.const -1))))");
    const auto value_of = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"run", "--json", "--wasm-file", file, "--handler"});
        const Finished ran = desk(words);
        EXPECT_EQ(ran.status, 0) << ran.err;
        return json_of(ran.out)["value"];
    };
    // 1000 + 1 - 20 + 2 * 2.5 + 4 * 0.25
    EXPECT_EQ(value_of({"sum", "--", "1", "-20", "2.5", "0.25"}), 987);
    EXPECT_EQ(value_of({"minus"}), -1);
}

} // namespace
} // namespace ic::cli_test
