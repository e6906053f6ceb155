#pragma once
/// import_files: files of this machine into DAGs: walks, reads, hashes with several threads, puts,
/// pins.

#include "base/result.h"
#include "blockstore/blockstore.h"
#include "blockstore/pins.h"
#include "importer/assembler.h"
#include "importer/stat_cache.h"
#include "importer/walk.h"
#include "importer/worker.h"
#include "unixfs/import_options.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

namespace ic::importer {

namespace limits {
/// Ours: threads that read and hash at once. A machine's cores, and one for waiting on the disk, up
/// to this.
inline constexpr std::size_t threads_max = 64;
} // namespace limits

/// As many as this process may run at once, and one more: while one waits for the disk the others
/// go on.
std::size_t default_threads();

/// Where blocks go. Lifetime: all of it outlives the import.
struct Destination {
    BlockStore* store = nullptr; ///< None: nothing is kept, CIDs are computed alone.
    Pins* pins = nullptr;        ///< None: roots are not pinned.
    std::string pin_name{};      ///< Of each root's pin; empty: none.
    InPlace* in_place = nullptr; ///< None: blocks are copied into the store.
    StatCache* cache = nullptr;  ///< None, or with `in_place`: every file is read.
};

/// What is heard of an import. Called by one thread at a time, not always the same.
struct ImportEvents {
    /// As `Assembler::Events::added`, and what it names is durable (and pinned, if it is a root).
    std::function<Result<void>(const Added&)> added;
    /// So many bytes more were read.
    std::function<void(std::uint64_t bytes)> progress;
};

/// Adds everything that `request` names. The CIDs depend on `options` and the content alone, not on
/// `threads`. A write session is held until roots are pinned, so no collection takes what is being
/// added. On an error all that is complete has been reported; blocks of the rest stay unpinned.
///
/// Memory: some MiB a thread and what the store collects, whatever the sizes of files; the names of
/// folders that are open; lines not reported yet.
/// Errors: of the walk, of reading, of the store; usage (a name that cannot be one).
Result<void> import_files(const WalkRequest& request,
                          const unixfs::ImportOptions& options,
                          const Destination& destination,
                          std::size_t threads,
                          const ImportEvents& events);

/// The bytes of all files that `request` would add, for a progress line; what cannot be looked at
/// is reported by the import. Nothing if standard input is among them, or if it was stopped.
std::optional<std::uint64_t> count_bytes(const WalkRequest& request, std::stop_token stop);

} // namespace ic::importer
