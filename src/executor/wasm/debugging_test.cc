// Laws of what a run shows besides its outcome: backtraces, traces, core dumps, profiles.

#include "executor/wasm/testing/guests.h"
#include "wasm_binary/module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace ic::executor::wasm {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// --- backtraces ---------------------------------------------------------------------------------

std::string trap_of_program(const char* program) {
    std::ifstream file(std::string(IC_GUEST_DIR) + "/" + program, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_FALSE(text.empty()) << program;
    auto artifact = shared_engine().compile(bytes_of(text), {});
    EXPECT_TRUE(artifact.ok()) << artifact.error().message;
    auto module = shared_engine().load({cid_of(Codec::raw, bytes_of(text))}, sealed(*artifact));
    EXPECT_TRUE(module.ok());
    MemoryServices services;
    const Outcome outcome = shared_engine().run(**module, small_task("_start"), services);
    EXPECT_EQ(outcome.ending.error, Errc::trap_arithmetic);
    return outcome.ending.message;
}

TEST(Backtrace, HasFunctionsAndLinesOfAProgramWithDebugInformation) {
    const std::string message = trap_of_program("trap.wasm");
    EXPECT_THAT(message, AllOf(HasSubstr("in divide ("), HasSubstr("trap.c:5:")));
    EXPECT_THAT(message, AllOf(HasSubstr(" < middle ("), HasSubstr("trap.c:9:")));
    EXPECT_THAT(message, HasSubstr("trap.c:16:"));
    EXPECT_LT(message.find("trap.c:5:"), message.find("trap.c:9:")) << "the innermost first";
}

TEST(Backtrace, HasNumbersAndOffsetsOfAProgramThatWasStripped) {
    const std::string message = trap_of_program("trap_stripped.wasm");
    EXPECT_THAT(message, AllOf(HasSubstr("in function "), HasSubstr(" @0x")));
    EXPECT_THAT(message, AllOf(Not(HasSubstr("in divide")), Not(HasSubstr("trap.c"))));
}

TEST(Backtrace, DemanglesNamesOfRustAndCpp) {
    EXPECT_THAT(run_wat(R"((module (func $_ZN5shape4areaEv (unreachable))
        (func (export "run") (call $_ZN5shape4areaEv))))")
                    .ending.message,
                HasSubstr("in shape::area() @0x"));
    EXPECT_THAT(
        run_wat(R"((module (func $_ZN4core9panicking5panic17h0123456789abcdefE (unreachable))
        (func (export "run") (call $_ZN4core9panicking5panic17h0123456789abcdefE))))")
            .ending.message,
        HasSubstr("in core::panicking::panic"));
}

/// A chain of calls that ends in a trap, with names of `name_bytes` bytes.
std::string chain(int length, std::size_t name_bytes) {
    const auto name = [&](int i) {
        std::string text = "$f" + std::to_string(i) + "_";
        text.resize(name_bytes, 'x');
        return text;
    };
    std::string wat = "(module (func " + name(0) + " (unreachable))";
    for (int i = 1; i < length; ++i) {
        wat += "(func " + name(i) + " (call " + name(i - 1) + "))";
    }
    return wat + "(func (export \"run\") (call " + name(length - 1) + ")))";
}

TEST(Backtrace, ShowsSixteenFunctionsAndSaysWhenThereAreMore) {
    const auto functions = [](int length) {
        const std::string message = run_wat(chain(length, 8)).ending.message;
        return std::pair(std::ranges::count(message, '@'), message);
    };
    const auto [all, whole] = functions(15); // And the handler.
    EXPECT_EQ(all, 16);
    EXPECT_THAT(whole, Not(HasSubstr("...")));
    const auto [some, cut] = functions(16);
    EXPECT_EQ(some, 16);
    EXPECT_THAT(cut, HasSubstr(" < ...:"));
}

TEST(Backtrace, OfLongNamesStaysWithinItsBound) {
    const Outcome outcome = run_wat(chain(19, 50'000));
    EXPECT_EQ(outcome.ending.error, Errc::trap_unreachable);
    EXPECT_LT(outcome.ending.message.size(), 2500U);
    EXPECT_THAT(outcome.ending.message, HasSubstr("panic or an abort")) << "the remedy is kept";
}

TEST(Backtrace, OfNamesWithLineEndsIsOneLine) {
    const Outcome outcome = run_wat(R"((module (func $"a\n    0: 0x1 - b!_ZN1cE" (unreachable))
        (func (export "run") (call $"a\n    0: 0x1 - b!_ZN1cE"))))");
    EXPECT_THAT(outcome.ending.message, AllOf(HasSubstr("in a "), Not(HasSubstr("\n"))));
}

// --- what an engine that debugs shows -----------------------------------------------------------

struct Shown {
    Outcome outcome;
    MemoryServices services;
    std::vector<json> calls;
};

std::unique_ptr<Shown> run_debugged(const Debugging& debugging, std::string_view wat, Task task) {
    const auto engine = Engine::open({.slots = 1, .modules_max = 1, .debugging = debugging}).take();
    auto shown = std::make_unique<Shown>();
    shown->outcome = engine->run(*loaded(*engine, wat, task.spec.limits), task, shown->services);
    std::string_view rest = shown->services.trace_seen;
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        EXPECT_NE(end, std::string_view::npos) << "whole lines";
        shown->calls.push_back(json::parse(rest.substr(0, end)));
        rest.remove_prefix(end + 1);
    }
    return shown;
}

constexpr std::string_view talker = R"((module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "env" "ipfsComputeLog" (func $log (param i32 i32) (result i64)))
  (import "env" "ipfsComputeGet" (func $get (param i32 i32) (result i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\06\00\00\00")
  (data (i32.const 16) "hello\n")
  (func (export "run")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (drop (call $write (i32.const 9) (i32.const 0) (i32.const 1) (i32.const 8)))
    (drop (call $log (i32.const 16) (i32.const 5)))
    (drop (call $get (i32.const 70000) (i32.const 5)))
    (call $exit (i32.const 3)))))";

TEST(Trace, HasEachCallWithArgumentsResultAndBytes) {
    const auto shown = run_debugged({.trace = true}, talker, small_task());
    EXPECT_EQ(shown->outcome.ending.exit_status, 3);
    ASSERT_EQ(shown->calls.size(), 5U);
    const json& written = shown->calls[0];
    EXPECT_EQ(written["call"], "fd_write");
    EXPECT_EQ(written["arguments"], json({1, 0, 1, 8}));
    EXPECT_EQ(written["result"], 0);
    EXPECT_EQ(written["result_name"], "success");
    EXPECT_EQ(written["bytes"], 6);
    EXPECT_TRUE(written["ended"].is_null());
    EXPECT_GE(written["took_ns"].get<std::int64_t>(), 0);
    EXPECT_EQ(shown->calls[1]["result_name"], "badf");
    EXPECT_TRUE(shown->calls[1]["bytes"].is_null());
    EXPECT_EQ(shown->calls[2]["text"], "hello");
    EXPECT_EQ(shown->calls[2]["bytes"], 5);
    EXPECT_EQ(shown->calls[3]["result"], -2);
    EXPECT_EQ(shown->calls[3]["result_name"], "bad_pointer");
    EXPECT_TRUE(shown->calls[3]["text"].is_null()) << "it lies outside of the memory";
    EXPECT_EQ(shown->calls[4]["call"], "proc_exit");
    EXPECT_EQ(shown->calls[4]["ended"], "exit");
    for (std::size_t i = 1; i < 5; ++i) {
        EXPECT_GE(shown->calls[i]["at_ns"], shown->calls[i - 1]["at_ns"]) << "in order";
    }
}

TEST(Trace, ChangesNothingOfTheOutcomeAndIsEmptyUnlessAskedFor) {
    const auto shown = run_debugged({}, talker, small_task());
    EXPECT_TRUE(shown->calls.empty());
    const auto traced = run_debugged({.trace = true}, talker, small_task());
    EXPECT_EQ(shown->outcome.output, traced->outcome.output);
    EXPECT_EQ(shown->outcome.log, traced->outcome.log);
    EXPECT_EQ(shown->outcome.usage.host_calls, traced->outcome.usage.host_calls);
}

TEST(Trace, SaysHowManyCallsItLeftOut) {
    constexpr int calls = 600'000; // Of more than 120 bytes a line: beyond 64 MiB.
    Task task = small_task();
    task.spec.limits.wall_ms_max = 120'000;
    const auto engine =
        Engine::open({.slots = 1, .modules_max = 1, .debugging = {.trace = true}}).take();
    MemoryServices services;
    const Outcome outcome = engine->run(
        *loaded(*engine,
                R"((module (import "env" "ipfsComputeAbiVersion" (func $call (result i64)))
                  (func (export "run") (local $i i32) (loop $again (drop (call $call))
                    (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                                            (i32.const 600000)))))))",
                task.spec.limits),
        task,
        services);
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    EXPECT_LE(services.trace_seen.size(), executor::limits::trace_bytes_max);
    EXPECT_GT(services.trace_seen.size(), executor::limits::trace_bytes_max - 1000);
    const std::size_t last = services.trace_seen.rfind('\n', services.trace_seen.size() - 2);
    const json line = json::parse(services.trace_seen.substr(last + 1));
    EXPECT_TRUE(line["call"].is_null());
    const auto shown = std::ranges::count(services.trace_seen, '\n') - 1;
    EXPECT_EQ(line["left_out"].get<int>() + shown, calls);
}

constexpr std::string_view forgetful = R"((module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (global $g (mut i32) (i32.const 7))
  (data (i32.const 32) "remember me")
  (func $fail (unreachable))
  (func (export "exits") (call $exit (i32.const 1)))
  (func (export "loops") (loop (br 0)))
  (func (export "run") (call $fail))))";

TEST(CoreDump, HasStackMemoryAndGlobalsAsToolsReadThem) {
    const auto shown = run_debugged({.coredump = true}, forgetful, small_task());
    EXPECT_EQ(shown->outcome.ending.error, Errc::trap_unreachable);
    EXPECT_THAT(shown->outcome.ending.message, HasSubstr("in fail")) << "the backtrace stays";
    const Bytes bytes = copy_of(bytes_of(shown->services.coredump_seen));
    const Result<wasm_binary::Module> dump = wasm_binary::parse(bytes);
    ASSERT_TRUE(dump) << dump.error().message;
    // Source: WebAssembly/tool-conventions, Coredump.md.
    std::vector<std::string_view> names;
    for (const wasm_binary::CustomSection& section : dump->custom) {
        names.push_back(section.name);
    }
    EXPECT_THAT(names,
                testing::IsSupersetOf({"core", "coremodules", "coreinstances", "corestack"}));
    EXPECT_EQ(dump->memories.size(), 1U);
    EXPECT_EQ(dump->globals.size(), 1U);
    EXPECT_THAT(shown->services.coredump_seen, HasSubstr("remember me"));
    EXPECT_LE(bytes.size(), dump_bytes_max(small_task().spec.limits));
}

TEST(CoreDump, IsMadeWhereALimitEndsTheGuestAndNotWhereItExits) {
    const auto stopped = run_debugged({.coredump = true}, forgetful, hasty_task("loops"));
    EXPECT_EQ(stopped->outcome.ending.error, Errc::limit_wall_time);
    EXPECT_THAT(stopped->services.coredump_seen, HasSubstr("corestack"));
    const auto left = run_debugged({.coredump = true}, forgetful, small_task("exits"));
    EXPECT_EQ(left->outcome.ending.exit_status, 1);
    EXPECT_EQ(left->services.coredump_seen, "");
}

TEST(CoreDump, IsOnlyOfAnEngineThatWasAskedForIt) {
    const auto shown = run_debugged({.trace = true}, forgetful, small_task());
    EXPECT_EQ(shown->outcome.ending.error, Errc::trap_unreachable);
    EXPECT_EQ(shown->services.coredump_seen, "");
}

TEST(Profile, HasSamplesOfWhatRan) {
    const auto shown = run_debugged({.profile = true},
                                    R"((module (func $spin (loop (br 0)))
                                       (func (export "run") (call $spin))))",
                                    hasty_task());
    EXPECT_EQ(shown->outcome.ending.error, Errc::limit_wall_time);
    const json profile = json::parse(shown->services.profile_seen);
    // Source: firefox-devtools/profiler, docs-developer/processed-profile-format.md.
    EXPECT_TRUE(profile["meta"].contains("interval"));
    ASSERT_EQ(profile["threads"].size(), 1U);
    EXPECT_GT(profile["threads"][0]["samples"]["length"].get<int>(), 10);
    EXPECT_THAT(shown->services.profile_seen, HasSubstr("spin"));
}

} // namespace
} // namespace ic::executor::wasm
