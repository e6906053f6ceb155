#pragma once
/// The engine's settings: one set for every module, so that artifacts and results depend on nothing
/// else. A change here changes `engine_fingerprint`.

#include "executor/wasm/engine.h"
#include "executor/wasm/native.h"

#include <chrono>
#include <cstdint>

namespace ic::executor::wasm {

namespace limits {
/// Ours. Native stack of a guest: the threads that run guests have 8 MiB.
inline constexpr std::size_t wasm_stack_bytes_max = std::size_t{1} << 20U;
/// Ours. Beyond it a table cannot grow whatever the job's limit says; it bounds address space.
inline constexpr std::size_t table_elements_ceiling = std::size_t{1} << 20U;
/// Ours: tables of one module. Compilers make one or two.
inline constexpr std::uint32_t tables_max = 16;
/// Ours: what an instance needs besides memory and tables (a few bytes a function and global).
inline constexpr std::size_t instance_bytes_max = std::size_t{16} << 20U;
/// All that 32-bit memories can have.
inline constexpr std::size_t memory_bytes_ceiling = std::size_t{4} << 30U;
} // namespace limits

/// How often a running guest is asked whether it may go on.
inline constexpr std::chrono::milliseconds tick_interval{10};

/// Errors: internal (the pool's address space cannot be reserved).
Result<EngineHandle> open_wasm_engine(Metering metering, const EngineOptions& options);

} // namespace ic::executor::wasm
