// Hostile guests: each ends within its limit with the right name, and the next run is right.

#include "executor/wasm/engine.h"
#include "executor/wasm/testing/guests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace ic::executor::wasm {
namespace {

using testing::HasSubstr;

/// A module whose exported function `run` has this body, with all imports it may need.
std::string guest(std::string_view body, std::string_view more = "") {
    std::string text = R"((module
      (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
      (import "env" "ipfsComputeLog" (func $log (param i32 i32) (result i64)))
      (import "env" "ipfsComputeAdd" (func $add (param i32 i32) (result i64)))
      (import "env" "ipfsComputeAddOpen" (func $add_open (result i64)))
      (import "env" "ipfsComputeClose" (func $close (param i64) (result i64)))
      (memory (export "memory") 16)
      (table $table 1 funcref)
      (type $void (func))
      (type $one (func (result i32)))
      (func $nothing)
      (elem (i32.const 0) $nothing)
      (data (i32.const 0) "\10\00\00\00\00\10\00\00"))";
    text.append(more);
    text.append("(func $run (export \"run\") ").append(body).append("))");
    return text;
}

/// What every run after a hostile one must still give.
void expect_the_next_run_is_right() {
    const Outcome outcome = run_wat(R"((module (memory (export "memory") 16)
        (func (export "run") (result i32) (i32.load (i32.const 70000)))))");
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    EXPECT_EQ(outcome.ending.value, 0);
    EXPECT_TRUE(outcome.output.empty());
}

struct Hostile {
    const char* name;
    std::string wat;
    Errc ending;
    const char* says;
};

class Limits : public testing::TestWithParam<Hostile> {};

TEST_P(Limits, EndTheGuestWithTheirName) {
    const Hostile& hostile = GetParam();
    const Task task = hostile.ending == Errc::limit_wall_time ? hasty_task() : small_task();
    loaded(shared_engine(), hostile.wat, task.spec.limits); // So that compiling is not timed.
    const auto from = std::chrono::steady_clock::now();
    const Outcome outcome = run_wat(hostile.wat, task);
    const auto took = std::chrono::steady_clock::now() - from;
    ASSERT_TRUE(outcome.ending.error.has_value()) << hostile.name;
    EXPECT_EQ(name(*outcome.ending.error), name(hostile.ending)) << outcome.ending.message;
    EXPECT_THAT(outcome.ending.message, HasSubstr(hostile.says));
    EXPECT_EQ(outcome.ending.message.find('\n'), std::string::npos);
    // Far beyond what it takes: only a guest that is not stopped fails this.
    EXPECT_LT(took, std::chrono::seconds{30});
    expect_the_next_run_is_right();
}

const std::string forever = "(loop $again (br $again))";

std::vector<Hostile> hostile_guests() {
    return {
        {"Loop", guest(forever), Errc::limit_wall_time, "500 ms"},
        {"LoopInStart",
         guest("", "(func $spin " + forever + ") (start $spin)"),
         Errc::limit_wall_time,
         "500 ms"},
        {"LoopInInitialize",
         guest("", "(func (export \"_initialize\") " + forever + ")"),
         Errc::limit_wall_time,
         "500 ms"},
        {"GrowMemory",
         guest("(loop $again (drop (memory.grow (i32.const 16))) (br $again))"),
         Errc::limit_memory,
         "limit of 16777216 bytes"},
        {"GrowMemoryHugely",
         guest("(drop (memory.grow (i32.const 65536)))"),
         Errc::limit_memory,
         "memory"},
        {"GrowTable",
         guest("(loop $again (drop (table.grow $table (ref.null func) (i32.const 1000)))"
               "(br $again))"),
         Errc::limit_table,
         "limit of 100000 elements"},
        {"Recurse", guest("(call $run)"), Errc::trap_stack, "stack"},
        {"FloodOutput",
         guest("(loop $again (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1)"
               "(i32.const 8))) (br $again))"),
         Errc::limit_output,
         "65536"},
        {"FloodErrors",
         guest("(loop $again (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1)"
               "(i32.const 8))) (br $again))"),
         Errc::limit_output,
         "65536"},
        {"FloodLog",
         guest("(loop $again (drop (call $log (i32.const 0) (i32.const 100))) (br $again))"),
         Errc::limit_log,
         "65536"},
        {"LogOfEmptyLines",
         guest("(loop $again (drop (call $log (i32.const 0) (i32.const 0))) (br $again))"),
         Errc::limit_log,
         "65536"},
        {"LeakHandles",
         guest("(loop $again (drop (call $add_open)) (br $again))"),
         Errc::limit_handles,
         "64"},
        {"FloodAdd",
         guest("(loop $again (drop (call $close (call $add (i32.const 0) (i32.const 1000000))))"
               "(br $again))"),
         Errc::limit_add,
         "4194304"},
        {"SleepForEver", // A clock subscription of 2^63 nanoseconds; virtual time does not pass
                         // here.
         guest("(i64.store (i32.const 124) (i64.const 0x7fffffffffffffff))"
               "(loop $again (drop (call $poll (i32.const 100) (i32.const 200) (i32.const 1)"
               "(i32.const 300))) (br $again))"),
         Errc::limit_wall_time,
         "500 ms"},
        {"CopyHugeRanges",
         guest("(loop $again (memory.copy (i32.const 0) (i32.const 1) (i32.const 1000000))"
               "(memory.fill (i32.const 0) (i32.const 7) (i32.const 1048576)) (br $again))"),
         Errc::limit_wall_time,
         "500 ms"},
        {"CopyBeyondTheEnd",
         guest("(memory.copy (i32.const 0) (i32.const 1) (i32.const 1048576))"),
         Errc::trap_memory,
         "out of bounds"},
        {"Unreachable", guest("unreachable"), Errc::trap_unreachable, "in run"},
        {"LoadBeyondTheEnd",
         guest("(drop (i32.load (i32.const -4)))"),
         Errc::trap_memory,
         "in run"},
        {"DivideByZero",
         guest("(drop (i32.div_s (i32.const 1) (i32.const 0)))"),
         Errc::trap_arithmetic,
         "zero"},
        {"DivideOverflow",
         guest("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))"),
         Errc::trap_arithmetic,
         "overflow"},
        {"ConvertNan",
         guest("(drop (i32.trunc_f32_s (f32.const nan)))"),
         Errc::trap_arithmetic,
         "convert"},
        {"TableBeyondTheEnd",
         guest("(call_indirect (type $void) (i32.const 9))"),
         Errc::trap_table,
         "table"},
        {"CallAnotherType",
         guest("(drop (call_indirect (type $one) (i32.const 0)))"),
         Errc::trap_call,
         "type"},
        {"DataBeyondTheEnd",
         guest("", "(data (i32.const 1048575) \"ab\")"),
         Errc::trap_memory,
         "out of bounds"},
        {"MemoryOverTheLimitAtOnce",
         "(module (memory (export \"memory\") 1024) (func (export \"run\")))",
         Errc::limit_memory,
         "16777216"},
        {"TableOverTheLimitAtOnce",
         "(module (table 200000 funcref) (func (export \"run\")))",
         Errc::limit_table,
         "100000"},
    };
}

INSTANTIATE_TEST_SUITE_P(Hostile,
                         Limits,
                         testing::ValuesIn(hostile_guests()),
                         [](const auto& hostile) { return std::string(hostile.param.name); });

Outcome run_impure_sleeper(Services& services, std::uint64_t wall_ms) {
    Task task = small_task();
    task.spec.effects = job::Effects::impure;
    task.spec.limits.wall_ms_max = wall_ms;
    return run_wat(guest("(i64.store (i32.const 124) (i64.const 3600000000000))"
                         "(drop (call $poll (i32.const 100) (i32.const 200) (i32.const 1)"
                         "(i32.const 300)))"),
                   task,
                   services);
}

TEST(Limits, EndARealSleep) {
    MemoryServices services;
    EXPECT_EQ(run_impure_sleeper(services, 100).ending.error, Errc::limit_wall_time);
    expect_the_next_run_is_right();
}

TEST(Limits, OfProcessorTimeHoldBeforeThoseOfWallTime) {
    Task task = small_task();
    task.spec.limits.wall_ms_max = 60'000;
    task.spec.limits.cpu_ms_max = 50;
    const Outcome outcome = run_wat(guest(forever), task);
    EXPECT_EQ(outcome.ending.error, Errc::limit_cpu_time) << outcome.ending.message;
    EXPECT_GE(outcome.usage.cpu_us, 50'000U);
}

TEST(Limits, OfFuelHoldAndAreCounted) {
    Task task = small_task();
    task.spec.limits.fuel_max = 10'000;
    const Outcome spent = run_wat(guest(forever), task);
    EXPECT_EQ(spent.ending.error, Errc::limit_fuel) << spent.ending.message;
    const Outcome thrifty = run_wat(guest("(nop)"), task);
    EXPECT_TRUE(thrifty.ending.ok()) << thrifty.ending.message;
    EXPECT_GT(thrifty.usage.fuel, 0U);
    EXPECT_LT(thrifty.usage.fuel, 10'000U);
}

TEST(Limits, OfFuelGiveTheSameCountEachTime) {
    Task task = small_task();
    task.spec.limits.fuel_max = 1'000'000;
    const std::string wat =
        guest("(local $i i32) (loop $again (local.set $i (i32.add (local.get $i)"
              "(i32.const 1))) (br_if $again (i32.lt_u (local.get $i)"
              "(i32.const 1000))))");
    const std::uint64_t first = run_wat(wat, task).usage.fuel;
    EXPECT_GT(first, 1000U);
    EXPECT_EQ(run_wat(wat, task).usage.fuel, first);
}

// Core specification 2.0, 4.4.7 and 4.4.6: a growth that fails gives -1 and the guest goes on.
TEST(Limits, LeaveTheModulesOwnMaximaToTheGuest) {
    const Outcome memory = run_wat(R"((module (memory (export "memory") 1 2)
        (func (export "run") (result i32)
          (i32.add (memory.grow (i32.const 1)) (memory.grow (i32.const 1))))))");
    EXPECT_TRUE(memory.ending.ok()) << memory.ending.message;
    EXPECT_EQ(memory.ending.value, 1 + -1) << "one page before the first growth, refused after it";
    const Outcome table = run_wat(R"((module (table $table 1 5 funcref)
        (func (export "run") (result i32)
          (i32.add (i32.mul (i32.const 10) (table.grow $table (ref.null func) (i32.const 4)))
                   (table.grow $table (ref.null func) (i32.const 1))))))");
    EXPECT_TRUE(table.ending.ok()) << table.ending.message;
    EXPECT_EQ(table.ending.value, 10 + -1);
    const Outcome above = run_wat(R"((module (memory (export "memory") 1 60000)
        (func (export "run") (drop (memory.grow (i32.const 50000))))))");
    EXPECT_EQ(above.ending.error, Errc::limit_memory)
        << "a maximum above the limit changes nothing";
}

TEST(Limits, KeepWhatWasWrittenBeforeTheEnd) {
    const Outcome outcome = run_wat(guest("(loop $again (drop (call $fd_write (i32.const 1)"
                                          "(i32.const 0) (i32.const 1) (i32.const 8)))"
                                          "(br $again))"));
    EXPECT_EQ(outcome.output.size(), 65536U);
}

TEST(Limits, LetExactlyAsMuchThrough) {
    // 16 writes of 4096 bytes fill 65536; the next byte is one too many.
    Task task = small_task();
    const std::string wat =
        guest("(local $i i32) (loop $again (drop (call $fd_write (i32.const 1) (i32.const 0)"
              "(i32.const 1) (i32.const 8))) (local.set $i (i32.add (local.get $i) (i32.const 1)))"
              "(br_if $again (i32.lt_u (local.get $i) (i32.const 16))))");
    EXPECT_TRUE(run_wat(wat, task).ending.ok());
    task.spec.limits.output_bytes_max -= 1;
    EXPECT_EQ(run_wat(wat, task).ending.error, Errc::limit_output);
}

TEST(Permit, StopsALoopForItsReason) {
    MemoryServices services;
    std::thread stopper([&services] {
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
        services.stop = static_cast<int>(Errc::cancelled);
    });
    Task task = small_task();
    task.spec.limits.wall_ms_max = 60'000;
    const Outcome outcome = run_wat(guest(forever), task, services);
    stopper.join();
    EXPECT_EQ(outcome.ending.error, Errc::cancelled);
}

TEST(Permit, StopsASleepForItsReason) {
    MemoryServices services;
    std::thread stopper([&services] {
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
        services.stop = static_cast<int>(Errc::lease_lost);
    });
    const Outcome outcome = run_impure_sleeper(services, 60'000);
    stopper.join();
    EXPECT_EQ(outcome.ending.error, Errc::lease_lost);
}

TEST(Permit, EndsARunWhoseLeaseIsOver) {
    MemoryServices services;
    services.lease_ = now_since_boot() + std::chrono::milliseconds{30};
    Task task = small_task();
    task.spec.limits.wall_ms_max = 60'000;
    EXPECT_EQ(run_wat(guest(forever), task, services).ending.error, Errc::lease_lost);
}

TEST(Permit, LetsNoEffectHappenAfterTheLease) {
    MemoryServices services;
    services.lease_ = now_since_boot() - std::chrono::milliseconds{1};
    const Outcome outcome =
        run_wat(guest("(drop (call $add (i32.const 0) (i32.const 5)))"), small_task(), services);
    EXPECT_EQ(outcome.ending.error, Errc::lease_lost);
    EXPECT_TRUE(services.blocks.empty());
}

} // namespace
} // namespace ic::executor::wasm
