// What a run costs with the process boundary in place: Executor::run over a pool of real executor
// processes, beside a raw loop over Wasmtime's C API in this process, interleaved in one program.
// And the first run of a module that was compiled before a restart.
// Run: bench/run warm_run

#include "bench/support/executors.h"
#include "bench/support/home.h"
#include "bench/support/raw_wasmtime.h"
#include "executor/wasm/testing/guests.h"

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace ic;
using bench::microseconds;
using executor::process::testing::FakeHost;

/// A small WASI command; `salt` makes it another module.
std::string command(int salt) {
    return R"((module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (memory (export "memory") 17)
  (data (i32.const 1024) "salt )" +
           std::to_string(salt) + R"(")
  (func (export "_start") (drop (call $sizes (i32.const 0) (i32.const 4))))))";
}

executor::Task task_for(FakeHost& host, int salt) {
    executor::Task task;
    task.spec.module = host.put(text_of(ByteView{executor::wasm::wasm_of(command(salt))}));
    return task;
}

void print(const char* what, const std::vector<double>& samples) {
    for (const double sample : samples) {
        bench::print_sample(what, "us", sample);
    }
}

void measure(int rounds, const std::filesystem::path& folder) {
    constexpr int modules = 100;
    FakeHost host;
    {
        const auto pool = bench::open_executors(bench::pool_options(folder, 1));
        for (int salt = 0; salt < modules; ++salt) {
            bench::run_task(*pool, task_for(host, salt), host);
        }
    }
    const auto pool = bench::open_executors(bench::pool_options(folder, 1));
    const executor::Task warm = task_for(host, 0);
    bench::run_task(*pool, warm, host); // Now the executor is up.
    std::vector<double> first;
    std::vector<double> raw_first;
    bench::RawWasmtime raw(executor::wasm::wasm_of(command(0)));
    for (int salt = 1; salt < modules; ++salt) {
        const executor::Task task = task_for(host, salt);
        first.push_back(microseconds([&] { bench::run_task(*pool, task, host); }));
        const std::string file = folder / "raw";
        bench::RawWasmtime(executor::wasm::wasm_of(command(salt))).save(file);
        raw_first.push_back(microseconds([&] { raw.run_from(file); }));
    }
    std::vector<double> ours;
    std::vector<double> theirs;
    for (int round = 0; round < rounds; ++round) {
        ours.push_back(microseconds([&] { bench::run_task(*pool, warm, host); }));
        theirs.push_back(microseconds([&] { raw.run(); }));
    }
    print("warm run", ours);
    print("warm run, raw Wasmtime", theirs);
    print("first run after a restart", first);
    print("first run after a restart, raw Wasmtime", raw_first);
}

} // namespace

int main(int count, char** arguments) {
    if (const auto status = bench::run_as_child(count, arguments)) {
        return *status;
    }
    const std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("ic-warm-run-" + std::to_string(::getpid()));
    constexpr int rounds = 4000;
    measure(rounds, folder);
    std::filesystem::remove_all(folder);
    return 0;
}
