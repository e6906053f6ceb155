/// `--import NAME=CID`: jobs of several modules, here and on a worker.

#include "cli/desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ic::cli_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::string_view adder = R"((module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "fail") (param i32 i32) (result i32) (unreachable))))";

/// Calls NAME of "math" with its two numbers.
std::string caller_of(const std::string& name, const std::string& type = "(param i32 i32)") {
    return R"((module (import "math" ")" + name + R"(" (func $f )" + type + R"( (result i32)))
      (memory (export "memory") 1)
      (func (export "go") (param i32 i32) (result i32)
        (call $f )" +
           (type.empty() ? "" : "(local.get 0) (local.get 1)") + ")))";
}

class Imports : public ::testing::Test {
protected:
    std::string added(const std::string& file) const {
        const Finished add = desk_({"add", "-Q", file});
        EXPECT_EQ(add.status, 0) << add.err;
        return add.out.substr(0, add.out.find('\n'));
    }

    /// The CID of a module from text.
    std::string cid_of(const std::string& name, std::string_view text) const {
        return added(desk_.wasm(name, text));
    }

    /// `command --wasm-file FILE --import ... --handler HANDLER -- 40 2`.
    Finished run(const std::string& command,
                 const std::string& file,
                 const std::vector<std::string>& imports,
                 const std::string& handler = "go") const {
        std::vector<std::string> words{command, "--wasm-file", file, "--handler", handler};
        for (const std::string& import : imports) {
            words.insert(words.end(), {"--import", import});
        }
        words.insert(words.end(), {"--", "40", "2"});
        return desk_(words);
    }

    Desk desk_;
};

TEST_F(Imports, ALibraryInCIsLinkedHereAndOnAWorker) {
    const std::string guests = IC_GUEST_DIR;
    const std::string import = "math=" + added(guests + "/library.wasm");
    // Each has a memory of its own: their output is in one stream, in order.
    const std::string expected = "square 1\nsquare 2\nsum 1604\n";
    const Finished here = run("run", guests + "/linked.wasm", {import}, "sum");
    EXPECT_EQ(here.status, 0) << here.err;
    EXPECT_EQ(here.out, expected);
    const auto worker = desk_.start_worker();
    const Finished there = run("submit", guests + "/linked.wasm", {import}, "sum");
    EXPECT_EQ(there.status, 0) << there.err;
    EXPECT_EQ(there.out, expected);
    EXPECT_EQ(line_after(there.err, "output "), line_after(here.err, "output "));
    const std::string job = line_after(there.err, "job ");
    const nlohmann::json described = json_of(desk_({"job", "describe", "--json", job}).out);
    EXPECT_EQ("math=" + described["invocation"]["imports"]["math"].get<std::string>(), import);
    EXPECT_THAT(desk_({"job", "describe", job}).out, HasSubstr(import));
    // A trap says in which module it was.
    const Finished divided = desk_({"run",
                                    "--wasm-file",
                                    guests + "/linked.wasm",
                                    "--import",
                                    import,
                                    "--handler",
                                    "divides",
                                    "--",
                                    "1",
                                    "0"});
    EXPECT_THAT(expect_error(divided, 122, "trap-arithmetic"), HasSubstr("math!divide"));
}

TEST_F(Imports, OneImportThatIsAnotherIsAnotherComputation) {
    const auto worker = desk_.start_worker();
    const std::string main = desk_.wasm("main.wasm", caller_of("add"));
    const std::string adds = "math=" + cid_of("adder.wasm", adder);
    const std::string subtracts = "math=" + cid_of("other.wasm", R"((module
      (func (export "add") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))))");
    EXPECT_EQ(run("submit", main, {adds}).out, "42\n");
    EXPECT_EQ(run("submit", main, {subtracts}).out, "38\n") << "not from the memo of the other";
    const Finished again = run("submit", main, {adds});
    EXPECT_EQ(again.out, "42\n");
}

TEST_F(Imports, ACollectionKeepsTheImportsOfJobs) {
    const auto worker = desk_.start_worker();
    const auto unpinned = [this](const std::string& file) {
        return desk_({"add", "-Q", "--pin=false", file}).out;
    };
    const std::string library = unpinned(desk_.wasm("math.wasm", adder));
    const std::string garbage = unpinned(desk_.file("garbage", "nobody needs this"));
    const std::string import = "math=" + library.substr(0, library.find('\n'));
    EXPECT_EQ(run("submit", desk_.wasm("main.wasm", caller_of("add")), {import}).out, "42\n");
    const std::string removed = desk_({"repo", "gc", "--quiet"}).out;
    EXPECT_THAT(removed, HasSubstr(garbage));
    EXPECT_THAT(removed, ::testing::Not(HasSubstr(library)));
}

TEST_F(Imports, RunsAreAllAlike) {
    const std::string main = desk_.wasm("main.wasm", R"((module
      (import "random" "next" (func $next (result i32))) (func (export "go") (result i32)
        (call $next))))");
    const std::string random = "random=" + cid_of("random.wasm", R"((module
      (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "next") (result i32)
        (drop (call $random (i32.const 0) (i32.const 4))) (i32.load (i32.const 0)))))");
    const Finished runs = desk_({"run",
                                 "--wasm-file",
                                 main,
                                 "--import",
                                 random,
                                 "--handler",
                                 "go",
                                 "--verify-determinism",
                                 "3"});
    EXPECT_EQ(runs.status, 0) << runs.err;
    EXPECT_THAT(runs.err, HasSubstr("3 runs, all alike"));
}

TEST_F(Imports, AChainMayBeGivenInAnyOrder) {
    const std::string middle = "middle=" + cid_of("middle.wasm", R"((module
      (import "math" "add" (func $add (param i32 i32) (result i32)))
      (func (export "twice") (param i32 i32) (result i32)
        (call $add (call $add (local.get 0) (local.get 1)) (local.get 1)))))");
    const std::string math = "math=" + cid_of("math.wasm", adder);
    const std::string main = desk_.wasm("main.wasm", R"((module
      (import "middle" "twice" (func $twice (param i32 i32) (result i32)))
      (func (export "go") (param i32 i32) (result i32)
        (call $twice (local.get 0) (local.get 1)))))");
    EXPECT_EQ(run("run", main, {middle, math}).out, "44\n");
    EXPECT_EQ(run("run", main, {math, middle}).out, "44\n");
    EXPECT_THAT(expect_error(run("run", main, {middle}), 121, "import-missing"),
                AllOf(HasSubstr("`middle`"), HasSubstr("--import math=CID")));
}

TEST_F(Imports, WhatDoesNotFitIsRefusedBeforeAnythingIsSent) {
    const std::string math = "math=" + cid_of("math.wasm", adder);
    const std::string main = desk_.wasm("main.wasm", caller_of("add"));
    const auto refused = [this](const std::string& file,
                                const std::vector<std::string>& imports,
                                int status,
                                const std::string& code) {
        const std::string of_run = expect_error(run("run", file, imports), status, code);
        EXPECT_EQ(expect_error(run("submit", file, imports), status, code), of_run);
        return of_run;
    };
    EXPECT_THAT(refused(main, {}, 121, "import-missing"), HasSubstr("--import math=CID"));
    EXPECT_THAT(refused(desk_.wasm("a.wasm", caller_of("adds")), {math}, 121, "import-missing"),
                HasSubstr("did you mean add?"));
    EXPECT_THAT(refused(desk_.wasm("b.wasm", caller_of("add", "")), {math}, 121, "import-missing"),
                AllOf(HasSubstr("() -> (i32)"), HasSubstr("(i32, i32) -> (i32)")));
    EXPECT_THAT(refused(main, {math, "maths" + math.substr(4)}, 120, "usage"),
                HasSubstr("`maths`"));
    const std::string text = "math=" + added(desk_.file("text", "no module at all"));
    EXPECT_THAT(refused(main, {text}, 121, "module-invalid"), HasSubstr("import math"));
    refused(main, {math, math}, 120, "usage");
    refused(main, {"math"}, 120, "usage");
    refused(main, {"math=nothing"}, 120, "usage");
    for (const char* name : {"env", "ipfs_compute", "wasi_snapshot_preview1"}) {
        EXPECT_THAT(expect_error(run("run", main, {math, name + math.substr(4)}), 120, "usage"),
                    HasSubstr("'" + std::string(name) + "' is the name of host functions"));
    }
    std::vector<std::string> nine;
    for (int i = 0; i < 9; ++i) {
        nine.push_back("math" + std::to_string(i) + math.substr(4));
    }
    EXPECT_THAT(expect_error(run("run", main, nine), 120, "usage"), HasSubstr("more than 8"));
    EXPECT_EQ(desk_({"job", "list"}).out.find("baf"), std::string::npos) << "no job was made";
}

TEST_F(Imports, AWorkerSaysTheSameOfModulesThatOnlyItCanRead) {
    // Not here: a CID that nobody has.
    const std::string main = desk_.wasm("main.wasm", caller_of("add"));
    const std::string nowhere = "math=bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
    EXPECT_THAT(expect_error(run("run", main, {nowhere}), 124, "cid-unavailable"),
                HasSubstr("import math"));
}

TEST_F(Imports, ATrapOfALibraryEndsTheJob) {
    const std::string math = "math=" + cid_of("math.wasm", adder);
    const std::string main = desk_.wasm("main.wasm", caller_of("fail"));
    const std::string core = desk_.file("core", "");
    const Finished ran = desk_({"run",
                                "--wasm-file",
                                main,
                                "--import",
                                math,
                                "--handler",
                                "go",
                                "--trace",
                                "--coredump",
                                core,
                                "--",
                                "1",
                                "2"});
    EXPECT_THAT(expect_error(ran, 122, "trap-unreachable"), HasSubstr("math!function 1"));
    EXPECT_THAT(desk_({"add", "-Q", core}).out, ::testing::StartsWith("baf"));
}

TEST_F(Imports, MemoryIsLimitedForAllModulesTogether) {
    const std::string math = "math=" + cid_of("math.wasm", R"((module (memory 16)
      (func (export "add") (param i32 i32) (result i32) (i32.const 5))))");
    const std::string main = desk_.wasm("main.wasm", caller_of("add"));
    const auto with = [&](const std::string& memory) {
        return desk_({"run",
                      "--wasm-file",
                      main,
                      "--import",
                      math,
                      "--memory",
                      memory,
                      "--handler",
                      "go",
                      "--",
                      "1",
                      "2"});
    };
    // 16 pages of the import, and the module's own.
    EXPECT_EQ(with(std::to_string(17 * 65536)).out, "5\n");
    expect_error(with(std::to_string(17 * 65536 - 1)), 123, "limit-memory");
}

TEST_F(Imports, InspectSaysWhatAModuleNeeds) {
    const std::string main = desk_.wasm("main.wasm", caller_of("add"));
    EXPECT_THAT(desk_({"module", "inspect", main}).out,
                HasSubstr("Runs here:    yes, with --import math=CID\n"));
    const nlohmann::json json = json_of(desk_({"module", "inspect", "--json", main}).out);
    EXPECT_EQ(json["needs"], nlohmann::json({"math"}));
    EXPECT_EQ(json["runs_here"], false);
    EXPECT_EQ(json["error"], "import-missing");
    EXPECT_EQ(json["can_be_pure"], true);
}

} // namespace
} // namespace ic::cli_test
