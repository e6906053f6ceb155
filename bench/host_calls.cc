// What a small host call costs a guest where nothing crosses to the broker: a million of each kind
// in one run through a real executor process behind all walls, less a run of the same loop without
// a call. Beside it an empty host function of raw Wasmtime (unchecked, as ours are defined),
// interleaved. Run: bench/run host_calls

#include "bench/support/executors.h"
#include "bench/support/home.h"
#include "executor/wasm/testing/guests.h"

#include <wasmtime.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace ic;
using bench::microseconds;
using executor::process::testing::FakeHost;

constexpr int calls = 1'000'000;
constexpr int rounds = 10;
constexpr std::size_t block_bytes = std::size_t{2} << 20U;

/// A kind of call; of a block of 2 MiB some read 2 bytes a call so that it is enough. `call` leaves
/// one i32 or i64; `$i` counts from 0.
struct Kind {
    const char* what;
    const char* import;
    const char* call;
    job::Effects effects = job::Effects::pure;
    const char* before = "";
};

constexpr const char* no_import = "";
constexpr const char* clock_import =
    R"((import "wasi_snapshot_preview1" "clock_time_get"
         (func $f (param i32 i64 i32) (result i32))))";

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> all{
        {"ipfsComputeAbiVersion",
         R"((import "env" "ipfsComputeAbiVersion" (func $f (result i64))))",
         "(call $f)"},
        // $h: four handles of a block of 2 MiB, 250,000 reads each.
        {"ipfsComputeRead, 8 bytes",
         R"((import "env" "ipfsComputeGet" (func $get (param i32 i32) (result i64)))
            (import "env" "ipfsComputeRead" (func $f (param i64 i32 i32) (result i64))))",
         R"((call $f
              (i64.extend_i32_u (i32.add (i32.const 1)
                (i32.div_u (local.get $i) (i32.const 250000))))
              (i32.const 64) (i32.const 8)))",
         job::Effects::pure,
         R"((drop (call $get (i32.const 1024) (i32.load (i32.const 1000))))
            (drop (call $get (i32.const 1024) (i32.load (i32.const 1000))))
            (drop (call $get (i32.const 1024) (i32.load (i32.const 1000))))
            (drop (call $get (i32.const 1024) (i32.load (i32.const 1000)))))"},
        {"ipfsComputeReadAt, 8 bytes",
         R"((import "env" "ipfsComputeGet" (func $get (param i32 i32) (result i64)))
            (import "env" "ipfsComputeReadAt" (func $f (param i64 i64 i32 i32) (result i64))))",
         R"((call $f (i64.const 1)
              (i64.extend_i32_u (i32.and (i32.mul (local.get $i) (i32.const 8))
                                         (i32.const 0x1ffff8)))
              (i32.const 64) (i32.const 8)))",
         job::Effects::pure,
         "(drop (call $get (i32.const 1024) (i32.load (i32.const 1000))))"},
        {"ipfsComputeLog, 16 bytes",
         R"((import "env" "ipfsComputeLog" (func $f (param i32 i32) (result i64))))",
         "(call $f (i32.const 2048) (i32.const 16))"},
        {"fd_write, 8 bytes",
         R"((import "wasi_snapshot_preview1" "fd_write"
              (func $f (param i32 i32 i32 i32) (result i32))))",
         "(call $f (i32.const 1) (i32.const 512) (i32.const 1) (i32.const 520))"},
        {"fd_read, 2 bytes",
         R"((import "wasi_snapshot_preview1" "fd_read"
              (func $f (param i32 i32 i32 i32) (result i32))))",
         "(call $f (i32.const 0) (i32.const 528) (i32.const 1) (i32.const 520))"},
        {"fd_pread, 8 bytes",
         R"((import "wasi_snapshot_preview1" "fd_pread"
              (func $f (param i32 i32 i32 i64 i32) (result i32))))",
         R"((call $f (i32.const 0) (i32.const 512) (i32.const 1)
              (i64.extend_i32_u (i32.and (i32.mul (local.get $i) (i32.const 8))
                                         (i32.const 0x1ffff8)))
              (i32.const 520)))"},
        {"clock_time_get, virtual",
         clock_import,
         "(call $f (i32.const 1) (i64.const 1) (i32.const 64))"},
        {"clock_time_get, wall clock",
         clock_import,
         "(call $f (i32.const 0) (i64.const 1) (i32.const 64))",
         job::Effects::impure},
        {"clock_time_get, monotonic",
         clock_import,
         "(call $f (i32.const 1) (i64.const 1) (i32.const 64))",
         job::Effects::impure},
        {"clock_time_get, processor time (the kernel's alone)",
         clock_import,
         "(call $f (i32.const 2) (i64.const 1) (i32.const 64))",
         job::Effects::impure},
        {"random_get, 8 bytes, pure",
         R"((import "wasi_snapshot_preview1" "random_get" (func $f (param i32 i32) (result i32))))",
         "(call $f (i32.const 64) (i32.const 8))"},
        {"random_get, 8 bytes, impure",
         R"((import "wasi_snapshot_preview1" "random_get" (func $f (param i32 i32) (result i32))))",
         "(call $f (i32.const 64) (i32.const 8))",
         job::Effects::impure},
    };
    return all;
}

std::string guest(const Kind& kind, const Cid& file) {
    const std::string path = "/ipfs/" + file.to_string();
    return std::string("(module ") + kind.import + R"( (memory (export "memory") 17)
  (data (i32.const 512) "\40\00\00\00\08\00\00\00")
  (data (i32.const 528) "\40\00\00\00\02\00\00\00")
  (data (i32.const 1000) "\)" +
           to_hex(Bytes{static_cast<std::uint8_t>(path.size())}) + R"(\00\00\00")
  (data (i32.const 1024) ")" +
           path + R"(")
  (data (i32.const 2048) "sixteen bytes it")
  (func (export "_start") (local $i i32))" +
           kind.before + R"(
    (loop $again (drop )" +
           kind.call + R"()
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1)))
                              (i32.const )" +
           std::to_string(calls) + R"()))))))";
}

executor::Task task_for(FakeHost& host, const Kind& kind, const Cid& file) {
    executor::Task task;
    task.spec.module = host.put(text_of(ByteView{executor::wasm::wasm_of(guest(kind, file))}));
    task.spec.event = file;
    task.spec.effects = kind.effects;
    task.spec.limits.output_bytes_max = std::uint64_t{64} << 20U;
    task.spec.limits.log_bytes_max = std::uint64_t{64} << 20U;
    return task;
}

/// An engine with one host function that does nothing, and a guest that calls it.
class EmptyCall {
public:
    explicit EmptyCall(ByteView wasm) {
        wasm_config_t* config = wasm_config_new();
        wasmtime_config_epoch_interruption_set(config, true);
        engine_ = wasm_engine_new_with_config(config);
        linker_ = wasmtime_linker_new(engine_);
        wasm_functype_t* type = wasm_functype_new_0_1(wasm_valtype_new(WASM_I64));
        const auto nothing =
            [](void*, wasmtime_caller_t*, wasmtime_val_raw_t* values, std::size_t) -> wasm_trap_t* {
            values[0].i64 = 1;
            return nullptr;
        };
        check(wasmtime_linker_define_func_unchecked(
            linker_, "env", 3, "ipfsComputeAbiVersion", 21, type, nothing, nullptr, nullptr));
        wasm_functype_delete(type);
        check(wasmtime_module_new(engine_, wasm.data(), wasm.size(), &module_));
    }

    EmptyCall(const EmptyCall&) = delete;
    EmptyCall& operator=(const EmptyCall&) = delete;

    ~EmptyCall() {
        wasmtime_module_delete(module_);
        wasmtime_linker_delete(linker_);
        wasm_engine_delete(engine_);
    }

    void run() const {
        wasmtime_store_t* store = wasmtime_store_new(engine_, nullptr, nullptr);
        wasmtime_context_t* context = wasmtime_store_context(store);
        wasmtime_context_set_epoch_deadline(context, 1);
        wasmtime_instance_t instance;
        wasm_trap_t* trap = nullptr;
        check(wasmtime_linker_instantiate(linker_, context, module_, &instance, &trap));
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
};

void measure() {
    const testing_support::TemporaryFolder folder;
    const auto pool = bench::open_executors(bench::pool_options(folder.path() + "/modules", 1));
    FakeHost host;
    const Cid file = host.put(std::string(block_bytes, 'x'));
    const Kind empty{"", no_import, "(local.get $i)"};
    const executor::Task loop = task_for(host, empty, file);
    std::vector<executor::Task> tasks;
    for (const Kind& kind : kinds()) {
        tasks.push_back(task_for(host, kind, file));
        bench::run_task(*pool, tasks.back(), host);
    }
    bench::run_task(*pool, loop, host);
    const EmptyCall raw(executor::wasm::wasm_of(guest(kinds().front(), file)));
    const EmptyCall raw_loop(executor::wasm::wasm_of(guest(empty, file)));
    const auto of_each = [](double more, double less) { return (more - less) * 1000 / calls; };
    const auto took = [&](const executor::Task& task) {
        host.logged.clear();
        host.followed.clear();
        return microseconds([&] { bench::run_task(*pool, task, host); });
    };
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t kind = 0; kind < tasks.size(); ++kind) {
            bench::print_sample(kinds()[kind].what, "ns", of_each(took(tasks[kind]), took(loop)));
            const double with = microseconds([&] { raw.run(); });
            const double without = microseconds([&] { raw_loop.run(); });
            bench::print_sample("empty call, raw Wasmtime", "ns", of_each(with, without));
        }
    }
}

} // namespace

int main(int count, char** arguments) {
    if (const auto status = bench::run_as_child(count, arguments)) {
        return *status;
    }
    measure();
    return 0;
}
