#pragma once
/// What the engine gives every guest, whatever its job's own limits say.

#include "job/spec.h"

#include <cstddef>
#include <cstdint>

namespace ic::executor::wasm {

namespace limits {
/// Ours. Native stack of a guest: the threads that run guests have 8 MiB.
inline constexpr std::size_t wasm_stack_bytes_max = std::size_t{1} << 20U;
/// Ours. Beyond it a table cannot grow whatever the job's limit says; it bounds address space.
inline constexpr std::size_t table_elements_ceiling = std::size_t{1} << 20U;
/// Of one run: its module and its imports, each with a memory at most.
inline constexpr std::uint32_t instances_max = 1 + job::limits::imports_max;
/// Ours: memories that modules which take turns find as they left them, at 4 GiB of addresses each
/// and some 12 KiB of page tables. One less than where Wasmtime 48 divides them by processors
/// (crate wasmtime, index_allocator.rs), after which a thread would find only its share.
inline constexpr std::uint32_t warm_memories = 127;
/// Ours: tables of all modules of a run. Compilers make one or two in each.
inline constexpr std::uint32_t tables_max = 16;
/// Ours: what an instance needs besides memory and tables (a few bytes a function and global).
inline constexpr std::size_t instance_bytes_max = std::size_t{16} << 20U;
/// All that 32-bit memories can have.
inline constexpr std::size_t memory_bytes_ceiling = std::size_t{4} << 30U;
/// Ours: the text of one listing. Some hundred thousand entries.
inline constexpr std::size_t listing_bytes_max = std::size_t{16} << 20U;
/// Ours: files that a guest adds at once; of each up to 1 MiB waits on either side of the channel.
inline constexpr std::size_t adds_open_max = 64;
/// Ours: of all listings that are open at once; the guest's memory is counted elsewhere.
inline constexpr std::size_t listings_bytes_max = std::size_t{64} << 20U;
/// Ours: blocks and links of files that are open. What is above is fetched again when it is read;
/// one file alone may hold more (unixfs/file_reader.h).
inline constexpr std::size_t files_bytes_max = std::size_t{64} << 20U;
} // namespace limits

} // namespace ic::executor::wasm
