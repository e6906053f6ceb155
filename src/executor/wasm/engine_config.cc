#include "executor/wasm/engine_config.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace ic::executor::wasm {
namespace {

struct Proposal {
    std::string_view name;
    void (*set)(wasm_config_t*, bool);
    bool on;
};

// WebAssembly 2.0 without what is not deterministic (threads, relaxed SIMD) or has no guest
// toolchain yet. Tail calls are in: LLVM uses them and they cost nothing.
constexpr std::array<Proposal, 16> proposals{{
    {"threads", wasmtime_config_wasm_threads_set, false},
    {"shared-memory", wasmtime_config_shared_memory_set, false},
    {"tail-call", wasmtime_config_wasm_tail_call_set, true},
    {"reference-types", wasmtime_config_wasm_reference_types_set, true},
    {"function-references", wasmtime_config_wasm_function_references_set, false},
    {"gc", wasmtime_config_wasm_gc_set, false},
    {"simd", wasmtime_config_wasm_simd_set, true},
    {"relaxed-simd", wasmtime_config_wasm_relaxed_simd_set, false},
    {"bulk-memory", wasmtime_config_wasm_bulk_memory_set, true},
    {"multi-value", wasmtime_config_wasm_multi_value_set, true},
    {"multi-memory", wasmtime_config_wasm_multi_memory_set, false},
    {"memory64", wasmtime_config_wasm_memory64_set, false},
    {"wide-arithmetic", wasmtime_config_wasm_wide_arithmetic_set, false},
    {"exceptions", wasmtime_config_wasm_exceptions_set, false},
    {"custom-page-sizes", wasmtime_config_wasm_custom_page_sizes_set, false},
    {"stack-switching", wasmtime_config_wasm_stack_switching_set, false},
}};

/// As many memories as runs can use at once; more are for modules that take turns: each finds the
/// one that has its first contents mapped already.
void configure_pool(wasm_config_t* config, std::uint32_t slots, std::uint32_t memories) {
    wasmtime_pooling_allocation_config_t* pool = wasmtime_pooling_allocation_config_new();
    wasmtime_pooling_allocation_config_total_core_instances_set(pool,
                                                                slots * limits::instances_max);
    wasmtime_pooling_allocation_config_total_memories_set(pool, memories);
    wasmtime_pooling_allocation_config_max_unused_warm_slots_set(pool, memories);
    wasmtime_pooling_allocation_config_total_tables_set(pool, slots * limits::tables_max);
    wasmtime_pooling_allocation_config_total_component_instances_set(pool, 0);
    wasmtime_pooling_allocation_config_total_stacks_set(pool, 0);
    wasmtime_pooling_allocation_config_total_gc_heaps_set(pool, 0);
    wasmtime_pooling_allocation_config_max_memories_per_module_set(pool, 1);
    wasmtime_pooling_allocation_config_max_tables_per_module_set(pool, limits::tables_max);
    wasmtime_pooling_allocation_config_table_elements_set(pool, limits::table_elements_ceiling);
    wasmtime_pooling_allocation_config_max_core_instance_size_set(pool, limits::instance_bytes_max);
    wasmtime_pooling_allocation_config_max_memory_size_set(pool, limits::memory_bytes_ceiling);
    wasmtime_pooling_allocation_strategy_set(config, pool);
    wasmtime_pooling_allocation_config_delete(pool);
}

/// What the processor can do: the compiler uses all of it. Where it cannot be asked, loading an
/// artifact from another machine still fails cleanly.
std::string processor_features() {
    std::string text;
#if defined(__x86_64__)
    for (const unsigned leaf : {1U, 7U, 0x8000'0001U}) {
        unsigned a = 0;
        unsigned b = 0;
        unsigned c = 0;
        unsigned d = 0;
        if (__get_cpuid_count(leaf, 0, &a, &b, &c, &d) == 1) {
            // The upper byte of EBX in leaf 1 is the number of the core that asks.
            const unsigned stable_b = leaf == 1 ? 0 : b;
            // OSXSAVE and the like stay; they are the same for every process of this boot.
            text +=
                std::to_string(stable_b) + "." + std::to_string(c) + "." + std::to_string(d) + "/";
        }
    }
#endif
    return text;
}

/// Cranelift's names of what processors of this kind have or have not.
void mask_features([[maybe_unused]] wasm_config_t* config) {
#if defined(__x86_64__)
    for (const char* feature : {"has_sse3",
                                "has_ssse3",
                                "has_cmpxchg16b",
                                "has_sse41",
                                "has_sse42",
                                "has_avx",
                                "has_avx2",
                                "has_fma",
                                "has_avx512bitalg",
                                "has_avx512dq",
                                "has_avx512f",
                                "has_avx512vbmi",
                                "has_avx512vl",
                                "has_popcnt",
                                "has_bmi1",
                                "has_bmi2",
                                "has_lzcnt"}) {
        wasmtime_config_cranelift_flag_set(config, feature, "false");
    }
#elif defined(__aarch64__)
    for (const char* feature : {"has_lse", "has_fp16"}) {
        wasmtime_config_cranelift_flag_set(config, feature, "false");
    }
#endif
}

EngineHandle
open_with_memories(Metering metering, const EngineOptions& options, std::uint32_t memories) {
    wasm_config_t* config = wasm_config_new();
    wasmtime_config_strategy_set(config, WASMTIME_STRATEGY_CRANELIFT);
    wasmtime_config_cranelift_opt_level_set(config, WASMTIME_OPT_LEVEL_SPEED);
    wasmtime_config_cranelift_nan_canonicalization_set(config, true);
    wasmtime_config_epoch_interruption_set(config, true);
    wasmtime_config_consume_fuel_set(config, metering == Metering::fuel);
    wasmtime_config_max_wasm_stack_set(config, limits::wasm_stack_bytes_max);
    wasmtime_config_memory_init_cow_set(config, true);
    wasmtime_config_memory_may_move_set(config, false);
    wasmtime_config_wasm_component_model_set(config, false);
    wasmtime_config_concurrency_support_set(config, false);
    wasmtime_config_native_unwind_info_set(config, false);
    wasmtime_config_gc_support_set(config, false); // Needed for references to host objects alone.
    ic_config_backtraces(config);
    if (options.debugging.coredump) {
        ic_config_coredumps(config);
    }
    for (const Proposal& proposal : proposals) {
        proposal.set(config, proposal.on);
    }
    if (options.processor == Processor::oldest) {
        mask_features(config);
    }
    configure_pool(config, options.slots, memories);
    return EngineHandle(wasm_engine_new_with_config(config));
}

/// Asked first, since Wasmtime's C API ends the process where the pool finds no room.
bool has_room_for(std::uint32_t memories, std::uint32_t slots) {
    constexpr std::size_t guard_bytes = std::size_t{64} << 20U; // Wasmtime's has half of it.
    constexpr std::size_t table_element_bytes = 16;
    const std::size_t bytes = memories * (limits::memory_bytes_ceiling + guard_bytes) +
                              std::size_t{slots} * limits::tables_max *
                                  limits::table_elements_ceiling * table_element_bytes;
    void* const reserved =
        ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return reserved != MAP_FAILED && ::munmap(reserved, bytes) == 0;
}

} // namespace

Result<EngineHandle> open_wasm_engine(Metering metering, const EngineOptions& options) {
    const std::uint32_t needed = options.slots * limits::instances_max;
    const std::uint32_t wanted = std::max(needed, limits::warm_memories);
    // Processors with 39 bits of addresses and low limits on virtual memory have no room for all
    // that is wanted.
    for (const std::uint32_t memories : {wanted, needed}) {
        if (has_room_for(memories, options.slots)) {
            return open_with_memories(metering, options, memories);
        }
    }
    return Error{Errc::internal,
                 "cannot reserve address space for guests: raise the limit on virtual memory "
                 "(ulimit -v) of this process"};
}

std::string engine_fingerprint(Metering metering) {
    std::string text =
        "wasmtime " WASMTIME_VERSION " cranelift speed nan-canonical epochs cow pool no-gc dwarf";
    for (const Proposal& proposal : proposals) {
        text.append(proposal.on ? " +" : " -").append(proposal.name);
    }
    text.append(metering == Metering::fuel ? " fuel" : "")
        .append(" cpu ")
        .append(processor_features());
    return "wasmtime-" WASMTIME_VERSION "-" +
           to_hex(cid_of(Codec::raw, bytes_of(text)).digest().first(16));
}

} // namespace ic::executor::wasm
