// Laws of a run: what a guest gets, how it ends, and that nothing of it is left.

#include "executor/wasm/engine.h"
#include "executor/wasm/testing/guests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

} // namespace
} // namespace ic::executor::wasm
