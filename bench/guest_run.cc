// What a warm run costs in process: store, instance, _start of a small WASI command, drop; beside a
// raw loop over Wasmtime's C API with its own WASI, interleaved in one program.
// Run: bench/run guest_run

#include "bench/support/home.h"
#include "bench/support/raw_wasmtime.h"
#include "executor/wasm/testing/guests.h"

#include <cstdlib>
#include <string_view>

namespace {

using namespace ic;
using namespace ic::executor::wasm;

constexpr std::string_view command = R"((module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 17)
  (data (i32.const 1024) "\00\08\00\00\06\00\00\00")
  (data (i32.const 2048) "hello\n")
  (func (export "_start")
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $write (i32.const 1) (i32.const 1024) (i32.const 1) (i32.const 8))))))";

} // namespace

int main() {
    constexpr int warm_up = 100;
    constexpr int rounds = 4000;
    bench::RawWasmtime raw(wasm_of(command));
    MemoryServices services;
    executor::Task task = small_task("_start");
    const auto module = loaded(shared_engine(), command);
    for (int round = -warm_up; round < rounds; ++round) {
        const double ours = bench::microseconds([&] {
            if (!shared_engine().run(*module, task, services).ending.ok()) {
                std::abort();
            }
        });
        const double theirs = bench::microseconds([&] { raw.run(); });
        if (round >= 0) {
            bench::print_sample("run in process", "us", ours);
            bench::print_sample("run in process, raw Wasmtime", "us", theirs);
        }
    }
    return 0;
}
