// What a warm run costs in process: store, instance, _start of a small WASI command, drop; beside a
// raw loop over Wasmtime's C API with its own WASI, interleaved in one program.
// Run: build/release/bench/ic_guest_run [ROUNDS]

#include "executor/wasm/testing/guests.h"

#include <wasmtime.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

using namespace ic;
using namespace ic::executor::wasm;
using Clock = std::chrono::steady_clock;

constexpr std::string_view command = R"((module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 17)
  (data (i32.const 1024) "\00\08\00\00\06\00\00\00")
  (data (i32.const 2048) "hello\n")
  (func (export "_start")
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $write (i32.const 1) (i32.const 1024) (i32.const 1) (i32.const 8))))))";

/// The same module as an embedder without this project would run it.
class Raw {
public:
    Raw() {
        wasm_config_t* config = wasm_config_new();
        wasmtime_config_epoch_interruption_set(config, true);
        wasmtime_pooling_allocation_config_t* pool = wasmtime_pooling_allocation_config_new();
        wasmtime_pooling_allocation_config_total_memories_set(pool, 1);
        wasmtime_pooling_allocation_config_total_core_instances_set(pool, 1);
        wasmtime_pooling_allocation_strategy_set(config, pool);
        wasmtime_pooling_allocation_config_delete(pool);
        engine_ = wasm_engine_new_with_config(config);
        linker_ = wasmtime_linker_new(engine_);
        check(wasmtime_linker_define_wasi(linker_));
        const Bytes wasm = wasm_of(command);
        check(wasmtime_module_new(engine_, wasm.data(), wasm.size(), &module_));
        check(wasmtime_linker_instantiate_pre(linker_, module_, &pre_));
    }

    Raw(const Raw&) = delete;
    Raw& operator=(const Raw&) = delete;

    ~Raw() {
        wasmtime_instance_pre_delete(pre_);
        wasmtime_module_delete(module_);
        wasmtime_linker_delete(linker_);
        wasm_engine_delete(engine_);
    }

    void run() {
        wasmtime_store_t* store = wasmtime_store_new(engine_, nullptr, nullptr);
        wasmtime_context_t* context = wasmtime_store_context(store);
        wasmtime_context_set_epoch_deadline(context, 1);
        check(wasmtime_context_set_wasi(context, wasi_config_new()));
        wasmtime_instance_t instance;
        wasm_trap_t* trap = nullptr;
        check(wasmtime_instance_pre_instantiate(pre_, context, &instance, &trap));
        wasmtime_extern_t start;
        if (!wasmtime_instance_export_get(context, &instance, "_start", 6, &start)) {
            std::abort();
        }
        check(wasmtime_func_call(context, &start.of.func, nullptr, 0, nullptr, 0, &trap));
        wasmtime_store_delete(store);
    }

private:
    static void check(wasmtime_error_t* error) {
        if (error != nullptr) {
            std::abort();
        }
    }

    wasm_engine_t* engine_ = nullptr;
    wasmtime_linker_t* linker_ = nullptr;
    wasmtime_module_t* module_ = nullptr;
    wasmtime_instance_pre_t* pre_ = nullptr;
};

template <class Body>
double microseconds(Body body) {
    const auto from = Clock::now();
    body();
    return std::chrono::duration<double, std::micro>(Clock::now() - from).count();
}

void print(const char* what, std::vector<double>& times) {
    std::ranges::sort(times);
    std::printf("%-34s p50 %7.1f us  p99 %7.1f us\n",
                what,
                times[times.size() / 2],
                times[times.size() * 99 / 100]);
}

} // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 2000;
    Raw raw;
    MemoryServices services;
    executor::Task task = small_task("_start");
    const auto module = loaded(shared_engine(), command);
    std::vector<double> ours;
    std::vector<double> theirs;
    for (int i = 0; i < rounds; ++i) {
        ours.push_back(microseconds([&] {
            if (!shared_engine().run(*module, task, services).ending.ok()) {
                std::abort();
            }
        }));
        theirs.push_back(microseconds([&] { raw.run(); }));
    }
    print("Engine::run", ours);
    print("raw C API with its WASI", theirs);
    return 0;
}
