#pragma once
/// Importing a CAR: every block verified, hashed on several cores, put in the order of the file.

#include "base/result.h"
#include "blockstore/blockstore.h"
#include "multiformats/cid.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace ic::car_store {

namespace limits {
/// Ours: bytes that a thread reads, verifies and puts at once; with what a block in two pieces
/// needs, an import takes some 6 MiB a thread.
inline constexpr std::size_t piece_bytes = std::size_t{4} << 20U;
inline constexpr std::size_t threads_max = 16;
} // namespace limits

/// Fills as much of the span as there is now; 0 at the end. Called by one thread at a time.
using ReadBytes = std::function<Result<std::size_t>(std::span<std::uint8_t>)>;

/// What came of an import, or has come of it until it failed.
struct Imported {
    std::vector<Cid> roots{};
    std::uint64_t blocks = 0;      ///< As many as the CAR has, duplicates too.
    std::uint64_t bytes = 0;       ///< Of these blocks.
    std::uint64_t whole_bytes = 0; ///< Of the CAR: up to the end of the last block that was put.
};

struct ImportOptions {
    std::size_t threads = 0; ///< 0: one a processor.
    /// Called now and then with the bytes of the CAR that were put since the last call, by one
    /// thread at a time.
    std::function<void(std::uint64_t)> progress{};
};

/// Puts the blocks of a CAR (version 1 or 2). Those of identity CIDs are counted and not put, as
/// everywhere. `imported` says at any end what is in the store: all whole blocks before the first
/// thing that is wrong. Does not sync.
/// Errors: as `car::Decoder`, `read` and the store.
Result<void> import_car(const ReadBytes& read,
                        BlockStore& store,
                        const ImportOptions& options,
                        Imported& imported);

} // namespace ic::car_store
