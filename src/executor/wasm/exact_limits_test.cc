// Each limit of a run at its very edge: what it allows is allowed, one more ends the guest.
// docs/limits.md names these tests.

#include "executor/wasm/engine.h"
#include "executor/wasm/limits.h"
#include "executor/wasm/testing/guests.h"

#include <gtest/gtest.h>

#include <string>

namespace ic::executor::wasm {
namespace {

/// A module whose exported function `run` calls what `body` says `$times` times, a number that
/// stands in the text.
std::string repeat(std::string_view body, std::uint64_t times) {
    std::string text = R"((module
      (import "wasi_snapshot_preview1" "fd_write"
        (func $fd_write (param i32 i32 i32 i32) (result i32)))
      (import "env" "ipfsComputeLog" (func $log (param i32 i32) (result i64)))
      (import "env" "ipfsComputeAdd" (func $add (param i32 i32) (result i64)))
      (import "env" "ipfsComputeAddOpen" (func $add_open (result i64)))
      (import "env" "ipfsComputeClose" (func $close (param i64) (result i64)))
      (import "env" "ipfsComputeCurl" (func $curl (param i32 i32) (result i64)))
      (import "env" "ipfsComputeAbiVersion" (func $abi (result i64)))
      (memory (export "memory") 1)
      (table $table 0 funcref)
      (data (i32.const 0) "\10\00\00\00\01\00\00\00")
      (func (export "run") (local $i i32)
        (block $done (loop $again
          (br_if $done (i32.ge_u (local.get $i) (i32.const )";
    text.append(std::to_string(times)).append(R"()))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          )");
    text.append(body).append("(br $again)))))");
    return text;
}

std::string_view ending_name(const Outcome& outcome) {
    return outcome.ending.error ? name(*outcome.ending.error) : "ok";
}

/// That `fits` ends well and `too_much` with `error`, under the same limits.
void expect_edge(const std::string& fits,
                 const std::string& too_much,
                 std::string_view error,
                 const Task& task) {
    EXPECT_EQ(ending_name(run_wat(fits, task)), "ok");
    EXPECT_EQ(ending_name(run_wat(too_much, task)), error);
    EXPECT_EQ(ending_name(run_wat(fits, task)), "ok") << "after a run that went too far";
}

Task long_task() {
    Task task = small_task();
    task.spec.limits.wall_ms_max = 60'000;
    return task;
}

TEST(ExactLimits, OfTheModulesSize) {
    const Bytes module = wasm_of(R"((module (func (export "run"))))");
    job::Limits limits;
    limits.module_bytes_max = module.size();
    EXPECT_TRUE(shared_engine().compile(module, limits));
    limits.module_bytes_max -= 1;
    const Result<Bytes> refused = shared_engine().compile(module, limits);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::module_too_large);
    EXPECT_NE(refused.error().message.find("--module-size"), std::string::npos);
}

TEST(ExactLimits, OfMemory) {
    const auto grow = [](int pages) {
        return R"((module (memory (export "memory") 1)
            (func (export "run") (drop (memory.grow (i32.const )" +
               std::to_string(pages) + R"()))
              (i32.store8 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1))
                          (i32.const 1)))))";
    };
    Task task = long_task();
    task.spec.limits.memory_bytes_max = 10U << 16U;
    expect_edge(grow(9), grow(10), "limit-memory", task);
    const auto declare = [](int pages) {
        return "(module (memory " + std::to_string(pages) + ") (func (export \"run\")))";
    };
    expect_edge(declare(10), declare(11), "limit-memory", task);
}

TEST(ExactLimits, OfTables) {
    const auto grow = [](int elements) {
        return R"((module (table $table 1 funcref)
            (func (export "run")
              (drop (table.grow $table (ref.null func) (i32.const )" +
               std::to_string(elements) + R"()))
              (drop (table.get $table (i32.sub (table.size $table) (i32.const 1)))))))";
    };
    Task task = long_task();
    task.spec.limits.table_elements_max = 1000;
    expect_edge(grow(999), grow(1000), "limit-table", task);
    const auto declare = [](int elements) {
        return "(module (table " + std::to_string(elements) + " funcref) (func (export \"run\")))";
    };
    expect_edge(declare(1000), declare(1001), "limit-table", task);
}

// A page of the stack holds some dozen frames of this function; how many depends on the compiler.
TEST(ExactLimits, OfTheStack) {
    const auto recurse = [](int times) {
        return R"((module
            (func $down (param $i i32) (result i32)
              (if (result i32) (i32.eqz (local.get $i)) (then (i32.const 0))
                (else (i32.add (i32.const 1)
                               (call $down (i32.sub (local.get $i) (i32.const 1)))))))
            (func (export "run") (drop (call $down (i32.const )" +
               std::to_string(times) + ")))))";
    };
    expect_edge(recurse(5'000), recurse(5'000'000), "trap-stack", long_task());
}

// Times have no edge that a test can hit: far below ends well, without end does not, and not before
// its time.
TEST(ExactLimits, OfWallTime) {
    Task task = small_task();
    task.spec.limits.wall_ms_max = 300;
    task.spec.limits.cpu_ms_max = 60'000;
    const std::string forever = R"((module (func (export "run") (loop $again (br $again)))))";
    EXPECT_EQ(ending_name(run_wat(forever, task)), "limit-wall-time");
    EXPECT_EQ(ending_name(run_wat(repeat("", 1000), long_task())), "ok")
        << "after a run that went too far";
    EXPECT_GE(run_wat(forever, task).usage.run_us, 300'000U);
}

TEST(ExactLimits, OfProcessorTime) {
    Task task = long_task();
    task.spec.limits.cpu_ms_max = 100;
    const std::string forever = R"((module (func (export "run") (loop $again (br $again)))))";
    expect_edge(repeat("", 1000), forever, "limit-cpu-time", task);
    EXPECT_GE(run_wat(forever, task).usage.cpu_us, 100'000U);
}

TEST(ExactLimits, OfFuel) {
    const std::string wat = repeat("", 1000);
    Task task = long_task();
    task.spec.limits.fuel_max = 1'000'000;
    const std::uint64_t needed = run_wat(wat, task).usage.fuel;
    ASSERT_GT(needed, 1000U);
    task.spec.limits.fuel_max = needed;
    EXPECT_EQ(ending_name(run_wat(wat, task)), "ok");
    // Looked at when a loop or function begins: what comes behind the last of these runs through.
    constexpr std::uint64_t after_last_look_max = 50;
    task.spec.limits.fuel_max = needed - after_last_look_max;
    EXPECT_EQ(ending_name(run_wat(wat, task)), "limit-fuel");
}

TEST(ExactLimits, OfOutput) {
    const std::string_view write = "(drop (call $fd_write (i32.const 1) (i32.const 0)"
                                   "(i32.const 1) (i32.const 8)))";
    Task task = long_task();
    task.spec.limits.output_bytes_max = 100;
    expect_edge(repeat(write, 100), repeat(write, 101), "limit-output", task);
    EXPECT_EQ(run_wat(repeat(write, 101), task).output.size(), 100U) << "what fits is kept";
}

TEST(ExactLimits, OfTheLog) {
    const std::string_view line =
        "(drop (call $log (i32.const 16) (i32.const 9)))"; // 10 with "\n".
    Task task = long_task();
    task.spec.limits.log_bytes_max = 1000;
    expect_edge(repeat(line, 100), repeat(line, 101), "limit-log", task);
    task.spec.limits.log_bytes_max = 999;
    EXPECT_EQ(ending_name(run_wat(repeat(line, 100), task)), "limit-log");
}

TEST(ExactLimits, OfWhatIsAdded) {
    const std::string_view add = "(drop (call $close (call $add (i32.const 0) (i32.const 10))))";
    Task task = long_task();
    task.spec.limits.add_bytes_max = 1000;
    expect_edge(repeat(add, 100), repeat(add, 101), "limit-add", task);
    task.spec.limits.add_bytes_max = 999;
    EXPECT_EQ(ending_name(run_wat(repeat(add, 100), task)), "limit-add");
}

TEST(ExactLimits, OfHandles) {
    const std::string_view open = "(drop (call $add_open))";
    Task task = long_task();
    task.spec.limits.handles_max = 10;
    expect_edge(repeat(open, 10), repeat(open, 11), "limit-handles", task);
    const std::string_view open_and_close = "(drop (call $close (call $add_open)))";
    EXPECT_EQ(ending_name(run_wat(repeat(open_and_close, 1000), task)), "ok");
}

TEST(ExactLimits, OfFilesBeingAdded) {
    const std::string_view open = "(drop (call $add_open))";
    Task task = long_task();
    task.spec.limits.handles_max = 1000;
    expect_edge(repeat(open, limits::adds_open_max),
                repeat(open, limits::adds_open_max + 1),
                "limit-handles",
                task);
}

TEST(ExactLimits, OfOpenResponses) {
    const std::string_view open = "(drop (call $curl (i32.const 16) (i32.const 4)))";
    Task task = long_task();
    task.spec.effects = job::Effects::impure;
    task.spec.limits.curls_max = 3;
    expect_edge(repeat(open, 3), repeat(open, 4), "limit-curls", task);
    const std::string_view open_and_close =
        "(drop (call $close (call $curl (i32.const 16) (i32.const 4))))";
    EXPECT_EQ(ending_name(run_wat(repeat(open_and_close, 100), task)), "ok");
    task.spec.limits.handles_max = 2;
    EXPECT_EQ(ending_name(run_wat(repeat(open, 3), task)), "limit-handles")
        << "a response is a handle too";
    task.spec.limits.curls_max = 0;
    EXPECT_EQ(ending_name(run_wat(repeat(open, 1), task)), "limit-curls");
}

TEST(ExactLimits, OfHostCalls) {
    const std::string_view call = "(drop (call $abi))";
    Task task = long_task();
    task.spec.limits.host_calls_max = 1000;
    expect_edge(repeat(call, 1000), repeat(call, 1001), "limit-host-calls", task);
    EXPECT_EQ(run_wat(repeat(call, 1001), task).usage.host_calls, 1000U);
    const std::string_view wasi = "(drop (call $fd_write (i32.const 1) (i32.const 0)"
                                  "(i32.const 0) (i32.const 8)))";
    expect_edge(repeat(wasi, 1000), repeat(wasi, 1001), "limit-host-calls", task);
    task.spec.limits.host_calls_max = 0;
    EXPECT_EQ(ending_name(run_wat(repeat(call, 1), task)), "limit-host-calls");
    EXPECT_EQ(ending_name(run_wat(repeat(call, 0), task)), "ok");
}

} // namespace
} // namespace ic::executor::wasm
