#pragma once
/// Pinning: makes sure that content is here, whole, and pins it.

#include "base/result.h"
#include "blockstore/blockstore.h"
#include "blockstore/pins.h"

#include <cstdint>
#include <functional>
#include <string>

namespace ic {

struct PinningOptions {
    std::string scratch_folder; ///< For what a walk over very much cannot hold in memory.
    /// Blocks and bytes so far; on the calling thread. May be empty.
    std::function<void(std::uint64_t blocks, std::uint64_t bytes)> on_progress;
};

/// Visits everything that `pin` names, fetches what is missing through `blocks`, keeps all of it
/// from collections of any process, and pins it. Nothing is pinned if a block cannot be had.
///
/// Errors: as `blocks.get`, with the CID of the missing block; unsupported for blocks whose links
/// cannot be read; as Pins::add.
Result<void>
pin_whole(BlockStore& blocks, Pins& pins, const Pin& pin, const PinningOptions& options);

/// The same, in the place of the recursive pin of `from`, which goes; its name stays.
/// Errors: not_found if there is no such pin.
Result<void> update_pin(
    BlockStore& blocks, Pins& pins, const Cid& from, const Cid& to, const PinningOptions& options);

/// Visits each block below the recursive pins once, the pins' own blocks left out, with the pin
/// that was the first to lead to it. Errors: the visitor's; as `blocks.get`.
using IndirectVisitor = std::function<Result<void>(const Cid& cid, const Cid& through)>;
Result<void> visit_indirect(BlockSource& blocks,
                            Pins& pins,
                            const std::string& scratch_folder,
                            const IndirectVisitor& visitor);

} // namespace ic
