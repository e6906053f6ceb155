#pragma once
/// The peer: modules run as an embedder without this project would run them, through Wasmtime's C
/// API with its own WASI, pooling allocator, linked once.

#include "base/bytes.h"

#include <wasmtime.h>

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace ic::bench {

/// Threads: one.
class RawWasmtime {
public:
    explicit RawWasmtime(ByteView wasm) : RawWasmtime() { add(wasm); }

    /// Without a module.
    RawWasmtime() {
        wasm_config_t* config = wasm_config_new();
        wasmtime_config_epoch_interruption_set(config, true);
        wasmtime_pooling_allocation_config_t* pool = wasmtime_pooling_allocation_config_new();
        // As our engine: modules that take turns find their memories mapped.
        wasmtime_pooling_allocation_config_total_memories_set(pool, 127);
        wasmtime_pooling_allocation_config_max_unused_warm_slots_set(pool, 127);
        wasmtime_pooling_allocation_config_total_core_instances_set(pool, 1);
        wasmtime_pooling_allocation_strategy_set(config, pool);
        wasmtime_pooling_allocation_config_delete(pool);
        engine_ = wasm_engine_new_with_config(config);
        linker_ = wasmtime_linker_new(engine_);
        check(wasmtime_linker_define_wasi(linker_));
    }

    RawWasmtime(const RawWasmtime&) = delete;
    RawWasmtime& operator=(const RawWasmtime&) = delete;

    ~RawWasmtime() {
        for (const Linked& linked : linked_) {
            forget(linked);
        }
        wasmtime_linker_delete(linker_);
        wasm_engine_delete(engine_);
    }

    /// One more module, after those that are there.
    void add(ByteView wasm) {
        wasmtime_module_t* module = nullptr;
        check(wasmtime_module_new(engine_, wasm.data(), wasm.size(), &module));
        linked_.push_back(link(module));
    }

    /// The first module's machine code, as a later process would load it.
    void save(const std::string& file) const {
        wasm_byte_vec_t artifact;
        check(wasmtime_module_serialize(linked_.front().module, &artifact));
        std::ofstream(file, std::ios::binary)
            .write(artifact.data, static_cast<std::streamsize>(artifact.size));
        wasm_byte_vec_delete(&artifact);
    }

    /// Loads what `save` wrote, links it and runs it once.
    void run_from(const std::string& file) const {
        wasmtime_module_t* module = nullptr;
        check(wasmtime_module_deserialize_file(engine_, file.c_str(), &module));
        const Linked linked = link(module);
        run(linked.pre);
        forget(linked);
    }

    /// Store, WASI, instance, `_start`, drop; of the first module or another.
    void run(std::size_t which = 0) const { run(linked_[which].pre); }

private:
    struct Linked {
        wasmtime_module_t* module = nullptr;
        wasmtime_instance_pre_t* pre = nullptr;
    };

    Linked link(wasmtime_module_t* module) const {
        Linked linked{.module = module};
        check(wasmtime_linker_instantiate_pre(linker_, module, &linked.pre));
        return linked;
    }

    static void forget(const Linked& linked) {
        wasmtime_instance_pre_delete(linked.pre);
        wasmtime_module_delete(linked.module);
    }

    void run(wasmtime_instance_pre_t* pre) const {
        wasmtime_store_t* store = wasmtime_store_new(engine_, nullptr, nullptr);
        wasmtime_context_t* context = wasmtime_store_context(store);
        wasmtime_context_set_epoch_deadline(context, 1);
        check(wasmtime_context_set_wasi(context, wasi_config_new()));
        wasmtime_instance_t instance;
        wasm_trap_t* trap = nullptr;
        check(wasmtime_instance_pre_instantiate(pre, context, &instance, &trap));
        wasmtime_extern_t start;
        if (!wasmtime_instance_export_get(context, &instance, "_start", 6, &start)) {
            std::abort();
        }
        check(wasmtime_func_call(context, &start.of.func, nullptr, 0, nullptr, 0, &trap));
        wasmtime_store_delete(store);
    }

    static void check(wasmtime_error_t* error) {
        if (error != nullptr) {
            std::abort();
        }
    }

    wasm_engine_t* engine_ = nullptr;
    wasmtime_linker_t* linker_ = nullptr;
    std::vector<Linked> linked_;
};

} // namespace ic::bench
