// Laws of runs of several modules: who gets whose exports and memory, in which order they start,
// and that no limit is theirs several times.

#include "executor/wasm/engine.h"
#include "executor/wasm/loaded_module.h"
#include "executor/wasm/testing/guests.h"
#include "wasm_binary/host_abi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace ic::executor::wasm {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using Wats = std::vector<std::pair<std::string, std::string>>;

/// Compiled beside modules of these names.
std::shared_ptr<LoadedModule> loaded_beside(const std::string& wat,
                                            const std::vector<job::NamedModule>& imports,
                                            const job::Limits& limits,
                                            Engine& engine) {
    std::vector<std::string_view> names;
    for (const auto& [name, cid] : imports) {
        names.push_back(name);
    }
    const Result<Bytes> artifact = engine.compile(wasm_of(wat), limits, names);
    EXPECT_TRUE(artifact) << (artifact ? "" : artifact.error().message);
    const ModuleKey key{.module = cid_of(Codec::raw, bytes_of(wat)),
                        .metering = metering_of(limits)};
    Result<std::shared_ptr<LoadedModule>> module = engine.load(key, sealed(*artifact));
    EXPECT_TRUE(module) << (module ? "" : module.error().message);
    return *module;
}

/// Runs `main` with these imports, sorted by name.
Outcome run_linked(const std::string& main,
                   const Wats& imports,
                   Task task = small_task(),
                   Engine& engine = shared_engine(),
                   MemoryServices&& services = {}) {
    for (const auto& [name, wat] : imports) {
        task.spec.imports.emplace_back(name, cid_of(Codec::raw, bytes_of(wat)));
    }
    std::vector<std::shared_ptr<LoadedModule>> modules;
    for (const auto& [name, wat] : imports) {
        modules.push_back(loaded_beside(wat, task.spec.imports, task.spec.limits, engine));
    }
    const auto module = loaded_beside(main, task.spec.imports, task.spec.limits, engine);
    return engine.run(*module, modules, task, services);
}

constexpr const char* adder =
    R"((module (func $add (export "add") (param i32 i32) (result i32)
         (i32.add (local.get 0) (local.get 1)))))";

constexpr const char* calls_adder =
    R"((module (import "math" "add" (func $add (param i32 i32) (result i32)))
         (func (export "run") (result i32) (call $add (i32.const 40) (i32.const 2)))))";

TEST(Linking, CallsWhatAnImportExports) {
    const Outcome outcome = run_linked(calls_adder, {{"math", adder}});
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    EXPECT_EQ(outcome.ending.value, 42);
    EXPECT_EQ(outcome.usage.memory_bytes_peak, 0U);
}

TEST(Linking, IsRefusedWithoutTheImport) {
    Task task = small_task();
    const auto module =
        loaded_beside(calls_adder, {{"math", Cid()}}, task.spec.limits, shared_engine());
    MemoryServices services;
    const Outcome outcome = shared_engine().run(*module, task, services);
    EXPECT_EQ(outcome.ending.error, Errc::import_missing);
    EXPECT_THAT(outcome.ending.message, HasSubstr("--import math=CID"));
    // Nobody gets so far: a compiler that knows of no import refuses it.
    const Result<Bytes> artifact = shared_engine().compile(wasm_of(calls_adder), {});
    ASSERT_FALSE(artifact);
    EXPECT_EQ(artifact.error().code, Errc::import_missing);
}

TEST(Linking, NamesAnExportThatIsNotThere) {
    const Outcome outcome = run_linked(calls_adder, {{"math", "(module)"}});
    EXPECT_EQ(outcome.ending.error, Errc::import_missing);
    EXPECT_THAT(outcome.ending.message, AllOf(HasSubstr("math.add"), HasSubstr("--import math")));
}

TEST(Linking, RefusesAnExportOfAnotherType) {
    for (const char* other : {R"((module (func (export "add"))))",
                              R"((module (memory (export "add") 1)))",
                              R"((module (global (export "add") i32 (i32.const 1))))"}) {
        const Outcome outcome = run_linked(calls_adder, {{"math", other}});
        EXPECT_EQ(outcome.ending.error, Errc::import_missing) << other;
        EXPECT_THAT(outcome.ending.message, HasSubstr("math::add"));
    }
    // The texts of limits in a name do not make it another error.
    const Outcome outcome =
        run_linked(R"((module (import "memory to 9" "x" (func)) (func (export "run"))))",
                   {{"memory to 9", R"((module (func (export "x") (param i32))))"}});
    EXPECT_EQ(outcome.ending.error, Errc::import_missing) << outcome.ending.message;
}

TEST(Linking, StartsAndInitializesImportsBeforeWhatNeedsThem) {
    const std::string base =
        R"((module (global $n (mut i32) (i32.const 0))
             (func (export "_initialize") (global.set $n (i32.const 10)))
             (func (export "next") (result i32)
               (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))))";
    // Takes a number as it starts, and another as it is initialized.
    const std::string user =
        R"((module (import "base" "next" (func $next (result i32)))
             (global $first (mut i32) (i32.const 0)) (global $second (mut i32) (i32.const 0))
             (func $start (global.set $first (call $next))) (start $start)
             (func (export "_initialize") (global.set $second (call $next)))
             (func (export "sum") (result i32)
               (i32.add (i32.mul (global.get $first) (i32.const 100)) (global.get $second)))))";
    const std::string main =
        R"((module (import "auser" "sum" (func $sum (result i32)))
             (import "base" "next" (func $next (result i32)))
             (func (export "run") (result i32)
               (i32.add (i32.mul (call $sum) (i32.const 100)) (call $next)))))";
    const Outcome outcome = run_linked(main, {{"auser", user}, {"base", base}});
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    EXPECT_EQ(outcome.ending.value, 11'1213) << "one base for both, and in order";
    // And nothing of it is left for the next run.
    EXPECT_EQ(run_linked(main, {{"auser", user}, {"base", base}}).ending.value, 11'1213);
}

TEST(Linking, StartsNoImportThatIsNotNeeded) {
    const Outcome outcome = run_linked(
        calls_adder, {{"math", adder}, {"trap", "(module (func $f unreachable) (start $f))"}});
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
}

TEST(Linking, RefusesModulesThatImportFromEachOther) {
    const std::string a = R"((module (import "b" "f" (func)) (func (export "f"))))";
    const std::string b = R"((module (import "a" "f" (func)) (func (export "f"))))";
    const Outcome outcome = run_linked(R"((module (import "a" "f" (func)) (func (export "run"))))",
                                       {{"a", a}, {"b", b}});
    EXPECT_EQ(outcome.ending.error, Errc::module_invalid);
}

/// Writes `text`, which is of 2 bytes, from its own memory in "say"; with more imports and items.
std::string
speaker(const std::string& text, const std::string& imports = "", const std::string& items = "") {
    return R"((module
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    )" + imports +
           R"((memory (export "memory") 1)
      (data (i32.const 0) "\10\00\00\00\02\00\00\00")
      (data (i32.const 16) ")" +
           text + R"(")
      (func $say (export "say")
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))" +
           items + ")";
}

TEST(Linking, AHostFunctionUsesTheMemoryOfTheModuleThatCallsIt) {
    const std::string main =
        speaker("m.",
                R"((import "lib" "say" (func $lib)))",
                R"((func (export "run") (call $say) (call $lib) (call $say)))");
    const Outcome outcome = run_linked(main, {{"lib", speaker("l.")}});
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    EXPECT_EQ(text_of(outcome.output), "m.l.m.");
    EXPECT_EQ(outcome.usage.memory_bytes_peak, 2U * 65536) << "of both";
}

TEST(Linking, AModuleWithoutMemoryGetsNoOtherModules) {
    const std::string main = R"((module
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (import "lib" "say" (func $lib))
      (func (export "run") (result i32)
        (call $lib) (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))";
    const Outcome outcome = run_linked(main, {{"lib", speaker("l.")}});
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    EXPECT_EQ(outcome.ending.value, 21) << "EFAULT";
    EXPECT_EQ(text_of(outcome.output), "l.");
}

TEST(Linking, AMemoryCanBeImported) {
    const std::string main = R"((module
      (import "lib" "memory" (memory 1))
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (export "memory" (memory 0))
      (func (export "run") (result i32)
        (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))";
    const Outcome outcome = run_linked(main, {{"lib", speaker("l.")}});
    EXPECT_EQ(outcome.ending.value, 0) << outcome.ending.message;
    EXPECT_EQ(text_of(outcome.output), "l.");
    EXPECT_EQ(outcome.usage.memory_bytes_peak, 65536U) << "one memory, counted once";
}

/// A memory of `pages`, and "grow" by one more.
std::string with_pages(int pages) {
    return "(module (memory (export \"memory\") " + std::to_string(pages) +
           R"() (func (export "grow") (drop (memory.grow (i32.const 1))))))";
}

TEST(ExactLimits, OfMemoryAreOfAllModulesTogether) {
    const auto main = [](int pages) {
        return R"((module (import "lib" "grow" (func $grow)) (memory )" + std::to_string(pages) +
               R"() (func (export "run") (call $grow))))";
    };
    Task task = small_task();
    task.spec.limits.memory_bytes_max = 10 * 65536;
    const Outcome full = run_linked(main(6), {{"lib", with_pages(3)}}, task);
    EXPECT_TRUE(full.ending.ok()) << full.ending.message;
    EXPECT_EQ(full.usage.memory_bytes_peak, 10U * 65536);

    const Outcome grown = run_linked(main(6), {{"lib", with_pages(4)}}, task);
    EXPECT_EQ(grown.ending.error, Errc::limit_memory) << grown.ending.message;
    EXPECT_THAT(grown.ending.message, AllOf(HasSubstr("720896"), HasSubstr("lib!")));
    const Outcome made = run_linked(main(7), {{"lib", with_pages(4)}}, task);
    EXPECT_EQ(made.ending.error, Errc::limit_memory) << made.ending.message;
    // As ever, growth beyond a module's own maximum is for the guest to see.
    const Outcome own = run_linked(
        R"((module (import "lib" "grow" (func $grow)) (memory 1 2)
             (func (export "run") (result i32) (memory.grow (i32.const 5)))))",
        {{"lib", with_pages(3)}},
        task);
    EXPECT_EQ(own.ending.value, -1) << own.ending.message;
}

TEST(ExactLimits, OfTablesAreOfAllModulesTogether) {
    const auto tables = [](int count, const std::string& rest) {
        std::string wat = "(module " + rest;
        for (int i = 0; i < count; ++i) {
            wat += " (table 1 funcref)";
        }
        return wat + ")";
    };
    const std::string main = R"((import "lib" "f" (func)) (func (export "run")))";
    const std::string lib = R"((func (export "f")))";
    EXPECT_TRUE(run_linked(tables(8, main), {{"lib", tables(8, lib)}}).ending.ok());
    EXPECT_FALSE(run_linked(tables(9, main), {{"lib", tables(8, lib)}}).ending.ok());
}

TEST(ExactLimits, OfImports) {
    // Each imports from the one before it, and each has a memory and a table.
    Wats chain;
    for (std::size_t i = 0; i < job::limits::imports_max; ++i) {
        const std::string below =
            i == 0 ? R"((func $below (result i32) (i32.const 0)))"
                   : "(import \"m" + std::to_string(i - 1) + R"(" "f" (func $below (result i32))))";
        chain.emplace_back("m" + std::to_string(i),
                           "(module " + below +
                               R"( (memory 1) (table 1 funcref) (func (export "f") (result i32)
                                     (i32.add (call $below) (i32.const 1)))))");
    }
    const Outcome outcome = run_linked(
        R"((module (import "m7" "f" (func $f (result i32))) (memory 1) (table 1 funcref)
             (func (export "run") (result i32) (call $f))))",
        chain);
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    EXPECT_EQ(outcome.ending.value, 8);
    EXPECT_EQ(outcome.usage.memory_bytes_peak, 9U * 65536);
}

TEST(Linking, FuelIsOneForAllModules) {
    Task task = small_task();
    task.spec.limits.fuel_max = 1'000'000;
    const std::string loops =
        R"((module (func (export "add") (param i32 i32) (result i32) (loop (br 0)) (i32.const 0))))";
    const Outcome outcome = run_linked(calls_adder, {{"math", loops}}, task);
    EXPECT_EQ(outcome.ending.error, Errc::limit_fuel);
    const Outcome little = run_linked(calls_adder, {{"math", adder}}, task);
    EXPECT_EQ(little.ending.value, 42) << little.ending.message;
    EXPECT_GT(little.usage.fuel, 5U);
}

TEST(Linking, AnImportThatLoopsIsStoppedWhereverItLoops) {
    Task task = small_task();
    task.spec.limits.wall_ms_max = 50;
    const std::string main =
        R"((module (import "l" "f" (func $f)) (func (export "run") (call $f))))";
    for (const char* loops :
         {R"((module (func (export "f") (loop (br 0)))))",
          R"((module (func (export "f")) (func $s (loop (br 0))) (start $s)))",
          R"((module (func (export "f")) (func (export "_initialize") (loop (br 0)))))"}) {
        EXPECT_EQ(run_linked(main, {{"l", loops}}, task).ending.error, Errc::limit_wall_time)
            << loops;
    }
}

TEST(Linking, ATrapSaysInWhichModuleItWas) {
    const std::string divides = R"((module (func $divide (export "add") (param i32 i32) (result i32)
        (i32.div_s (local.get 0) (i32.const 0)))))";
    const std::string main =
        R"((module (import "math" "add" (func $add (param i32 i32) (result i32)))
             (func $outer (export "run") (result i32) (call $add (i32.const 40) (i32.const 2)))))";
    const Outcome outcome = run_linked(main, {{"math", divides}});
    EXPECT_EQ(outcome.ending.error, Errc::trap_arithmetic);
    EXPECT_THAT(outcome.ending.message, HasSubstr(" in math!divide"));
    EXPECT_THAT(outcome.ending.message, HasSubstr(" < outer"));
    const Outcome starts =
        run_linked(main, {{"math", "(module (func $boom unreachable) (start $boom))"}});
    EXPECT_EQ(starts.ending.error, Errc::trap_unreachable);
    EXPECT_THAT(starts.ending.message, HasSubstr("math!boom"));
}

TEST(Linking, ExitOfAnImportEndsTheRun) {
    const std::string exits = R"((module
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (func (export "add") (param i32 i32) (result i32) (call $exit (i32.const 3)) (i32.const 0))))";
    const Outcome outcome = run_linked(calls_adder, {{"math", exits}});
    EXPECT_FALSE(outcome.ending.error) << outcome.ending.message;
    EXPECT_EQ(outcome.ending.exit_status, 3);
}

TEST(Linking, ASecondRunIsTheSameToTheByte) {
    const std::string random = R"((module
      (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (func (export "next") (result i32)
        (drop (call $random (i32.const 0) (i32.const 4))) (i32.load (i32.const 0)))))";
    const std::string main = R"((module (import "r" "next" (func $next (result i32)))
      (func (export "run") (result i32) (i32.xor (call $next) (i32.rotl (call $next) (i32.const 9))))))";
    const Outcome first = run_linked(main, {{"r", random}});
    const Outcome second = run_linked(main, {{"r", random}});
    ASSERT_TRUE(first.ending.ok()) << first.ending.message;
    EXPECT_EQ(first.ending.value, second.ending.value);
    Task other = small_task();
    other.seed.fill(99);
    EXPECT_NE(run_linked(main, {{"r", random}}, other).ending.value, first.ending.value);
}

TEST(Linking, OneModuleUnderTwoNamesIsTwoInstances) {
    const std::string counter = R"((module (global $n (mut i32) (i32.const 0))
      (func (export "next") (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))))";
    const Outcome outcome = run_linked(
        R"((module (import "a" "next" (func $a (result i32))) (import "b" "next" (func $b (result i32)))
             (func (export "run") (result i32)
               (drop (call $a)) (i32.add (i32.mul (call $a) (i32.const 10)) (call $b)))))",
        {{"a", counter}, {"b", counter}});
    EXPECT_EQ(outcome.ending.value, 21) << outcome.ending.message;
}

TEST(Linking, ManyExportsCostNothingThatIsNotImported) {
    std::string many = "(module (func $f (result i32) (i32.const 7))";
    for (int i = 0; i < 100'000; ++i) {
        many += " (export \"e" + std::to_string(i) + "\" (func $f))";
    }
    many += ")";
    const Outcome outcome = run_linked(
        R"((module (import "many" "e99999" (func $f (result i32)))
             (func (export "run") (result i32) (call $f))))",
        {{"many", many}});
    EXPECT_EQ(outcome.ending.value, 7) << outcome.ending.message;
}

TEST(Linking, AnImportMayPassOnWhatItImports) {
    const std::string main =
        R"((module (import "lib" "log" (func $log (param i32 i32) (result i64)))
      (memory (export "memory") 1) (data (i32.const 0) "hi")
      (func (export "run") (result i64) (call $log (i32.const 0) (i32.const 2)))))";
    const std::string lib = R"((module
      (import "env" "ipfsComputeLog" (func $log (param i32 i32) (result i64)))
      (memory (export "memory") 1) (data (i32.const 0) "no")
      (export "log" (func $log))))";
    const Outcome outcome = run_linked(main, {{"lib", lib}});
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    EXPECT_THAT(text_of(outcome.log), AllOf(HasSubstr("hi"), Not(HasSubstr("no"))));
}

TEST(Linking, DebuggingShowsAllModules) {
    const std::string divides =
        speaker("l.", "", R"((func $divide (export "divide") (param i32) (result i32)
                               (i32.div_s (i32.const 1) (local.get 0))))");
    const std::string main = R"((module (import "lib" "say" (func $say))
      (import "lib" "divide" (func $divide (param i32) (result i32)))
      (func (export "run") (result i32) (call $say) (call $divide (i32.const 0)))))";
    for (const Debugging debugging :
         {Debugging{.trace = true, .coredump = true}, Debugging{.profile = true}}) {
        const std::unique_ptr<Engine> engine = Engine::open({.debugging = debugging}).take();
        Task task = small_task();
        task.spec.imports = {{"lib", cid_of(Codec::raw, bytes_of(divides))}};
        const std::vector modules{
            loaded_beside(divides, task.spec.imports, task.spec.limits, *engine)};
        const auto module = loaded_beside(main, task.spec.imports, task.spec.limits, *engine);
        MemoryServices services;
        const Outcome outcome = engine->run(*module, modules, task, services);
        EXPECT_EQ(outcome.ending.error, Errc::trap_arithmetic);
        EXPECT_THAT(outcome.ending.message, HasSubstr("lib!divide"));
        if (debugging.trace) {
            EXPECT_THAT(services.trace_seen, HasSubstr("fd_write"));
            EXPECT_EQ(services.coredump_seen.substr(0, 4), std::string("\0asm", 4));
            // Both modules have an instance in it.
            EXPECT_THAT(services.coredump_seen, HasSubstr("coreinstances"));
        } else {
            EXPECT_THAT(services.profile_seen, HasSubstr("\"lib\""));
        }
    }
}

TEST(Linking, ReservedNamesAreThoseOfTheHost) {
    for (const std::string_view name : job::reserved_import_names) {
        EXPECT_TRUE(wasm_binary::is_host_module(name)) << name;
    }
    EXPECT_FALSE(wasm_binary::is_host_module("math"));
    EXPECT_EQ(job::reserved_import_names.size(), 3U) << "is_host_module knows three";
}

} // namespace
} // namespace ic::executor::wasm
