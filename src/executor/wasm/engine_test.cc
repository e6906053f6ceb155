// Laws of a run: what a guest gets, how it ends, and that nothing of it is left.

#include "executor/wasm/engine.h"
#include "executor/wasm/testing/guests.h"
#include "executor/wasm/ticker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// The sanitizers reserve more address space than the test below leaves.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IC_HAS_ADDRESS_SPACE_OF_ITS_OWN 0
#endif
#endif
#ifndef IC_HAS_ADDRESS_SPACE_OF_ITS_OWN
#define IC_HAS_ADDRESS_SPACE_OF_ITS_OWN 1
#endif

namespace ic::executor::wasm {
namespace {

using testing::HasSubstr;

constexpr std::string_view hello = R"((module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\06\00\00\00")
  (data (i32.const 16) "hello\n")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))))";

TEST(Engine, RunsACommandAndGivesItsOutput) {
    const Outcome outcome = run_wat(hello, small_task("_start"));
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    EXPECT_EQ(text_of(outcome.output), "hello\n");
    EXPECT_EQ(outcome.usage.host_calls, 1U);
    EXPECT_EQ(outcome.usage.memory_bytes_peak, 65536U);
}

TEST(Engine, GivesTheHandlersIntegerForNumbers) {
    Task task = small_task("add");
    task.spec.arguments = {"40", "2"};
    const Outcome outcome = run_wat(
        R"((module (func (export "add") (param i32 i64) (result i64)
             (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1)))))",
        task);
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    EXPECT_EQ(outcome.ending.value, 42);
}

TEST(Engine, SaysWhatIsExportedWhenTheHandlerIsMissing) {
    const Outcome outcome = run_wat(R"((module (func (export "one")) (func (export "two"))))");
    EXPECT_EQ(outcome.ending.error, Errc::handler_missing);
    EXPECT_THAT(outcome.ending.message, HasSubstr("one, two"));
}

Errc compile_error(ByteView wasm, std::string_view says, const job::Limits& limits = {}) {
    const Result<Bytes> artifact = shared_engine().compile(wasm, limits);
    EXPECT_FALSE(artifact.ok());
    if (artifact.ok()) {
        return Errc::internal;
    }
    EXPECT_THAT(artifact.error().message, HasSubstr(std::string(says)));
    return artifact.error().code;
}

TEST(Engine, RefusesWhatIsNoModuleAndSaysWhat) {
    EXPECT_EQ(compile_error(bytes_of("#!/bin/sh"), "no WebAssembly module"), Errc::module_invalid);
    EXPECT_EQ(compile_error({}, "no WebAssembly module"), Errc::module_invalid);
    EXPECT_EQ(compile_error(bytes_of("(module)"), "wat2wasm"), Errc::module_invalid);
    // The preamble of a component: version 13, layer 1.
    const Bytes component{0, 'a', 's', 'm', 0x0d, 0, 1, 0};
    EXPECT_EQ(compile_error(component, "component"), Errc::module_invalid);
    Bytes cut = wasm_of(hello);
    cut.resize(cut.size() - 3);
    EXPECT_EQ(compile_error(cut, "does not compile"), Errc::module_invalid);
}

TEST(Engine, RefusesAModuleOneByteTooLarge) {
    const Bytes wasm = wasm_of(hello);
    job::Limits limits;
    limits.module_bytes_max = wasm.size();
    EXPECT_TRUE(shared_engine().compile(wasm, limits).ok());
    limits.module_bytes_max = wasm.size() - 1;
    EXPECT_EQ(compile_error(wasm, "bytes", limits), Errc::module_too_large);
}

TEST(Engine, RefusesWhatIsSwitchedOff) {
    for (const char* wat :
         {"(module (memory 1 1 shared))",
          "(module (memory i64 1))",
          "(module (memory 1) (memory 1))",
          "(module (func (param v128 v128) (result v128) (i8x16.relaxed_swizzle (local.get 0)"
          "(local.get 1))))",
          "(module (type (struct)))",
          "(module (tag))",
          "(module (table 1 externref))"}) {
        EXPECT_EQ(compile_error(wasm_of(wat), "is off here"), Errc::module_invalid) << wat;
    }
}

TEST(Engine, RefusesOneTableTooMany) {
    const auto with_tables = [](int count) {
        std::string wat = "(module (func (export \"run\"))";
        for (int i = 0; i < count; ++i) {
            wat += "(table 1 funcref)";
        }
        return wat + ")";
    };
    EXPECT_TRUE(run_wat(with_tables(16)).ending.ok());
    EXPECT_EQ(compile_error(wasm_of(with_tables(17)), "tables"), Errc::module_invalid);
}

TEST(Engine, TakesWhatTheAbiPromises) {
    const Outcome outcome = run_wat(R"((module (table 2 funcref) (table 3 funcref)
        (func $tail (param i32) (result i32) (if (result i32) (i32.eqz (local.get 0))
          (then (i32.const 7)) (else (return_call $tail (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "run") (result i32) (table.set 1 (i32.const 1) (ref.null func))
          (drop (i8x16.splat (i32.const 1))) (return_call $tail (i32.const 1000000)))))");
    EXPECT_EQ(outcome.ending.value, 7) << outcome.ending.message;
}

TEST(Engine, SaysWhichImportIsMissing) {
    const Bytes wasm = wasm_of(R"((module (import "env" "magic" (func))))");
    EXPECT_EQ(compile_error(wasm, "env.magic"), Errc::import_missing);
}

TEST(Engine, RefusesAnArtifactOfOtherSettings) {
    const Bytes wasm = wasm_of(hello);
    job::Limits metered;
    metered.fuel_max = 1;
    const Result<Bytes> artifact = shared_engine().compile(wasm, metered);
    ASSERT_TRUE(artifact.ok());
    const auto module =
        shared_engine().load({cid_of(Codec::raw, wasm), Metering::none}, sealed(*artifact));
    ASSERT_FALSE(module.ok());
    EXPECT_EQ(module.error().code, Errc::unsupported);
    EXPECT_NE(engine_fingerprint(Metering::none), engine_fingerprint(Metering::fuel));
    EXPECT_EQ(engine_fingerprint(Metering::none), engine_fingerprint(Metering::none));
}

TEST(Engine, KeepsTheModulesUsedLast) {
    auto engine = Engine::open({.slots = 1, .modules_max = 2});
    ASSERT_TRUE(engine.ok());
    std::vector<ModuleKey> keys;
    for (const char* wat : {"(module (func (export \"a\")))",
                            "(module (func (export \"b\")))",
                            "(module (func (export \"c\")))"}) {
        if (keys.size() == 2) {
            EXPECT_NE((*engine)->find(keys[0]), nullptr);
        }
        loaded(**engine, wat);
        keys.push_back({cid_of(Codec::raw, wasm_of(wat))});
    }
    EXPECT_NE((*engine)->find(keys[0]), nullptr);
    EXPECT_EQ((*engine)->find(keys[1]), nullptr) << "it was used least recently";
    EXPECT_NE((*engine)->find(keys[2]), nullptr);
}

#if IC_HAS_ADDRESS_SPACE_OF_ITS_OWN
/// Exits with 0 if an engine opens and runs a guest where this much address space is left.
[[noreturn]] void open_with_address_space(rlim_t bytes) {
    const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) {
        std::_Exit(1);
    }
    const auto engine = Engine::open({.slots = 1, .modules_max = 1});
    if (!engine.ok()) {
        std::_Exit(engine.error().code == Errc::internal ? 2 : 3);
    }
    const std::shared_ptr<LoadedModule> module = loaded(**engine, hello);
    MemoryServices services;
    const Outcome outcome = (*engine)->run(*module, {}, small_task("_start"), services);
    std::_Exit(outcome.ending.ok() ? 0 : 4);
}

// 127 memories do not fit into 64 GiB, the nine of a run do.
TEST(EngineDeathTest, OpensWithTheMemoriesOfOneRunWhereAddressSpaceIsScarce) {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(open_with_address_space(rlim_t{64} << 30U), testing::ExitedWithCode(0), "");
    EXPECT_EXIT(open_with_address_space(rlim_t{16} << 30U), testing::ExitedWithCode(2), "");
}
#endif

TEST(Handler, MustHaveATypeThatCanBeCalled) {
    constexpr std::string_view wat = R"((module
        (func (export "float") (result f64) (f64.const 1))
        (func (export "two") (result i32 i32) (i32.const 1) (i32.const 2))
        (func (export "vector") (param v128)) (func (export "reference") (param funcref))
        (global (export "global") v128 (v128.const i64x2 1 2))
        (func (export "one") (param i32))
        (func (export "numbers") (param i32 i64 f32 f64) (result i64)
          (i64.add (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1))
                   (i64.add (i64.trunc_f32_s (local.get 2)) (i64.trunc_f64_s (local.get 3)))))
        (memory (export "memory") 1)))";
    const auto ending = [&](const char* handler, std::vector<std::string> arguments) {
        Task task = small_task(handler);
        task.spec.arguments = std::move(arguments);
        return run_wat(wat, task).ending;
    };
    EXPECT_EQ(ending("float", {}).error, Errc::handler_signature);
    EXPECT_EQ(ending("two", {}).error, Errc::handler_signature);
    EXPECT_EQ(ending("vector", {"1"}).error, Errc::handler_signature);
    EXPECT_EQ(ending("reference", {"1"}).error, Errc::handler_signature);
    EXPECT_EQ(ending("memory", {}).error, Errc::handler_missing);
    EXPECT_EQ(ending("one", {}).error, Errc::handler_signature);
    EXPECT_EQ(ending("one", {"1", "2"}).error, Errc::handler_signature);
    for (const char* bad :
         {"", "x", "1.5", "4294967296", "-2147483649", "0x", "0x1g", "0x-1", " 1"}) {
        EXPECT_EQ(ending("one", {bad}).error, Errc::handler_signature) << bad;
    }
    for (const char* good : {"4294967295", "-2147483648", "0xffffffff"}) {
        EXPECT_TRUE(ending("one", {good}).ok()) << good;
    }
    EXPECT_EQ(ending("numbers", {"-1", "0x7fffffffffffff00", "2.5", "1e1"}).value,
              0x7fffffffffffff00 - 1 + 2 + 10);
}

// One writes a secret where the other looks, in memory and table and globals, some hundred times.
TEST(Engine, LeavesNothingOfARunToTheNext) {
    constexpr std::string_view secret = R"((module (memory (export "memory") 2)
        (global $g (mut i64) (i64.const 0)) (table $t 4 funcref) (func $f) (elem declare func $f)
        (func (export "run")
          (memory.fill (i32.const 0) (i32.const 0x5a) (i32.const 131072))
          (drop (memory.grow (i32.const 3)))
          (memory.fill (i32.const 131072) (i32.const 0x5a) (i32.const 196608))
          (global.set $g (i64.const -1)) (table.set $t (i32.const 3) (ref.func $f)))))";
    constexpr std::string_view peek = R"((module (memory (export "memory") 2 6)
        (global $g (mut i64) (i64.const 0)) (table $t 4 funcref)
        (func (export "run") (result i64) (local $at i32) (local $sum i64)
          (drop (memory.grow (i32.const 3)))
          (loop $again
            (local.set $sum (i64.or (local.get $sum) (i64.load (local.get $at))))
            (local.set $at (i32.add (local.get $at) (i32.const 8)))
            (br_if $again (i32.lt_u (local.get $at) (i32.const 327680))))
          (i64.or (i64.or (local.get $sum) (global.get $g))
                  (i64.extend_i32_u (i32.eqz (ref.is_null (table.get $t (i32.const 3)))))))))";
    for (int i = 0; i < 300; ++i) {
        ASSERT_TRUE(run_wat(secret).ending.ok());
        const Outcome outcome = run_wat(peek);
        ASSERT_TRUE(outcome.ending.ok()) << outcome.ending.message;
        ASSERT_EQ(outcome.ending.value, 0) << "in round " << i;
    }
}

TEST(Engine, RunsTwoGuestsAtOnce) {
    const auto count = [] {
        for (int i = 0; i < 50; ++i) {
            const Outcome outcome = run_wat(hello, small_task("_start"));
            EXPECT_EQ(text_of(outcome.output), "hello\n") << outcome.ending.message;
        }
    };
    std::thread other(count);
    count();
    other.join();
}

TEST(Engine, NamesFunctionsInAMessageOnOneLine) {
    const Outcome outcome = run_wat("(module (func $\"in\\nner\" unreachable) (func $outer (export "
                                    "\"run\") (call $\"in\\nner\")))");
    EXPECT_EQ(outcome.ending.error, Errc::trap_unreachable);
    EXPECT_THAT(outcome.ending.message,
                testing::AllOf(HasSubstr("in in ner @0x"), HasSubstr(" < outer @0x")));
}

TEST(Ticker, TicksWhileSomebodyRunsAndThenSleeps) {
    std::atomic<int> ticks{0};
    Ticker ticker(std::chrono::milliseconds{1}, [&ticks] { ++ticks; });
    const auto wait_until = [](auto condition) {
        while (!condition()) {
            std::this_thread::yield();
        }
    };
    for (int round = 0; round < 2; ++round) {
        ticker.enter();
        const int before = ticks;
        wait_until([&] { return ticks >= before + 3; });
        ticker.leave();
        wait_until([&] { return ticker.parked(); });
        EXPECT_GE(ticks, before + 3);
    }
}

} // namespace
} // namespace ic::executor::wasm
