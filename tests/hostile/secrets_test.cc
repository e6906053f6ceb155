/// A guest that leaves a secret everywhere it can, and behind it in the same slot one that looks
/// everywhere it can.

#include "executor/wasm/limits.h"
#include "executor/wasm/testing/guests.h"
#include "hostile/workbench.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ic::hostile {
namespace {

constexpr std::string_view secret = "SECRETSECRETSECRETSECRETSECRETSE";

// What both import, and where things are: standard input, output and error, arguments, environment.
constexpr std::string_view head = R"((module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "env" "ipfsComputeLog" (func $log (param i32 i32) (result i64)))
  (import "env" "ipfsComputeGet" (func $get (param i32 i32) (result i64)))
  (import "env" "ipfsComputeAdd" (func $add (param i32 i32) (result i64)))
  (import "env" "ipfsComputeAddOpen" (func $add_open (result i64)))
  (import "env" "ipfsComputeWrite" (func $write (param i64 i32 i32) (result i64)))
  (import "env" "ipfsComputeRead" (func $read (param i64 i32 i32) (result i64)))
  (import "env" "ipfsComputeReadAt" (func $read_at (param i64 i64 i32 i32) (result i64)))
  (import "env" "ipfsComputeClose" (func $close (param i64) (result i64)))
  (memory (export "memory") 1)
  (table $table 10 funcref)
  (global $number (mut i64) (i64.const 7))
  (global $reference (mut funcref) (ref.null func))
  (type $void (func))
  (func $nothing)
  (elem declare func $nothing)
)";

/// Module number `variant` of its kind: the bytes of each are others, what it does is the same.
std::string name_of(std::size_t variant) {
    return "(global $variant i64 (i64.const " + std::to_string(variant) + "))";
}

/// Ends in one of four ways, so that nothing depends on a good end.
Bytes leaves_secrets(std::size_t variant, std::string_view event_cid) {
    const std::vector<std::string> ends{
        "", "unreachable", "(call $exit (i32.const 3))", "(call $deep)"};
    std::string wat(head);
    wat += name_of(variant);
    wat += "(data (i32.const 64) \"" + std::string(secret) + "\")";
    wat += "(data (i32.const 200) \"" + std::string(event_cid) + "\")";
    wat += R"((func $deep (call $deep) (call $deep))
      (func (export "run") (local $h i64)
        (drop (memory.grow (i32.const 15)))
        (drop (call $log (i32.const 64) (i32.const 32)))
        (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 32))
        (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
        (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (drop (call $get (i32.const 200) (i32.const )" +
           std::to_string(event_cid.size()) + R"()))
        (drop (call $add (i32.const 64) (i32.const 32)))
        (local.set $h (call $add_open))
        (drop (call $write (local.get $h) (i32.const 64) (i32.const 32)))
        (global.set $number (i64.const 0x5345435245545345))
        (global.set $reference (ref.func $nothing))
        (table.fill $table (i32.const 0) (ref.func $nothing) (i32.const 10))
        (drop (table.grow $table (ref.func $nothing) (i32.const 1000)))
        (memory.fill (i32.const 256) (i32.const 0x53) (i32.const 1048320))
        )" +
           ends[variant % ends.size()] + "))";
    return executor::wasm::wasm_of(wat);
}

/// Gives a bit a place where it found something.
Bytes looks_around(std::size_t variant) {
    std::string wat(head);
    wat += name_of(variant);
    wat += R"((global $found (mut i64) (i64.const 0))
      (func $if_found (param $bit i64) (param $something i32)
        (if (local.get $something)
          (then (global.set $found (i64.or (global.get $found) (local.get $bit))))))
      (func $scan (result i32) (local $at i32)
        (loop $more
          (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (return (i32.const 1))))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (br_if $more (i32.lt_u (local.get $at) (i32.const 1048576))))
        (i32.const 0))
      (func $table_holds (param $elements i32) (result i32) (local $at i32)
        (loop $more
          (if (i32.eqz (ref.is_null (table.get $table (local.get $at))))
            (then (return (i32.const 1))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $more (i32.lt_u (local.get $at) (local.get $elements))))
        (i32.const 0))
      (func $handle_is_open (result i32) (local $h i64)
        (loop $more
          (local.set $h (i64.add (local.get $h) (i64.const 1)))
          (if (i64.ne (call $read (local.get $h) (i32.const 0) (i32.const 64)) (i64.const -3))
            (then (return (i32.const 1))))
          (if (i64.ne (call $read_at (local.get $h) (i64.const 0) (i32.const 0) (i32.const 64))
                      (i64.const -3))
            (then (return (i32.const 1))))
          (if (i64.ne (call $write (local.get $h) (i32.const 0) (i32.const 1)) (i64.const -3))
            (then (return (i32.const 1))))
          (if (i64.ne (call $close (local.get $h)) (i64.const -3)) (then (return (i32.const 1))))
          (br_if $more (i64.lt_s (local.get $h) (i64.const 40))))
        (i32.const 0))
      (func (export "run") (result i64)
        (call $if_found (i64.const 1) (i32.ne (memory.size) (i32.const 1)))
        (call $if_found (i64.const 2) (i32.ne (memory.grow (i32.const 15)) (i32.const 1)))
        (call $if_found (i64.const 4) (call $scan))
        (call $if_found (i64.const 8) (i64.ne (global.get $number) (i64.const 7)))
        (call $if_found (i64.const 16) (i32.eqz (ref.is_null (global.get $reference))))
        (call $if_found (i64.const 32) (i32.ne (table.size $table) (i32.const 10)))
        (call $if_found (i64.const 64) (call $table_holds (i32.const 10)))
        (drop (table.grow $table (ref.null func) (i32.const 1000)))
        (call $if_found (i64.const 128) (call $table_holds (i32.const 1010)))
        (call $if_found (i64.const 256) (call $handle_is_open))
        (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 64))
        (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (call $if_found (i64.const 512) (i32.ne (i32.load (i32.const 8)) (i32.const 0)))
        (drop (call $environ_sizes (i32.const 16) (i32.const 20)))
        (call $if_found (i64.const 1024) (i32.ne (i32.load (i32.const 16)) (i32.const 0)))
        (drop (call $args_sizes (i32.const 16) (i32.const 20)))
        (call $if_found (i64.const 2048) (i32.ne (i32.load (i32.const 20)) (i32.const 4)))
        (global.get $found))))";
    return executor::wasm::wasm_of(wat);
}

bool holds_secret(const Bytes& bytes) {
    return text_of(ByteView{bytes}).find("SECRET") != std::string_view::npos;
}

// So that the test below can fail at all: a guest that looks behind a secret in itself finds it.
TEST(Secrets, AreWhatTheyAreTakenFor) {
    Workbench bench;
    const Cid event = bench.host().put(secret);
    Task leaves = bench.task_of(leaves_secrets(0, event.to_string()));
    leaves.spec.event = event;
    const Outcome left = bench.run(leaves).outcome;
    EXPECT_TRUE(left.ending.ok()) << left.ending.message;
    EXPECT_TRUE(holds_secret(left.output) && holds_secret(left.errors) && holds_secret(left.log));

    Task looks = bench.task_of(looks_around(0));
    EXPECT_EQ(bench.run(looks).outcome.ending.value, 0);
    looks.spec.event = event;
    looks.spec.environment = {{"NAME", "value"}};
    looks.spec.arguments = {"argument"};
    EXPECT_EQ(bench.run(looks).outcome.ending.value, 512 + 1024 + 2048) << "what is its own";
}

// The same slot, so the same process, tables and buffers; and the same memories: an executor has
// one less than the modules here, an odd number, so that each run of one kind takes the memory
// which the other kind left 127 runs before.
TEST(Secrets, AreSeenByNobodyBehindThem) {
    const std::size_t runs = times(2'000, 10'000);
    const std::size_t modules = times(128, 10'000) / 2; // Of each kind.
    static_assert(executor::wasm::limits::warm_memories == 127);
    Workbench bench;
    const Cid event = bench.host().put(secret);
    std::vector<Task> leaving;
    std::vector<Task> looking;
    for (std::size_t variant = 0; variant < modules; ++variant) {
        Task leaves = bench.task_of(leaves_secrets(variant, event.to_string()));
        leaves.spec.event = event;
        leaves.spec.environment = {{"SECRET", std::string(secret)}};
        leaves.spec.arguments = {std::string(secret)};
        leaving.push_back(leaves);
        looking.push_back(bench.task_of(looks_around(variant)));
    }
    for (std::size_t run = 0; run < runs / 2; ++run) {
        const Outcome left = bench.run(leaving[run % modules]).outcome;
        ASSERT_TRUE(holds_secret(left.output)) << left.ending.message;
        const Outcome looked = bench.run(looking[run % modules]).outcome;
        ASSERT_TRUE(looked.ending.ok()) << looked.ending.message;
        ASSERT_EQ(looked.ending.value, 0) << "run " << run << ": a bit a place";
        ASSERT_TRUE(looked.output.empty() && looked.errors.empty() && looked.log.empty());
    }
    EXPECT_EQ(bench.executors().size(), 1U);
}

} // namespace
} // namespace ic::hostile
