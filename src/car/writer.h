#pragma once
/// Writing a CARv1: a header, then one section a block.
/// Format: https://ipld.io/specs/transport/car/carv1/, docs/formats/car.md.

#include "base/bytes.h"
#include "base/result.h"
#include "car/header.h"
#include "car/walk.h"

#include <cstdint>

namespace ic::car {

/// What stands before a block's bytes in its section: the length of both, and the CID.
Bytes section_head(const Cid& cid, std::size_t block_bytes);

/// Takes the parts of a CAR in order. `head` is the header, or what stands before a block; `data`
/// is the block, lent, so that nobody has to copy it.
class Output {
public:
    virtual ~Output() = default;
    /// Errors: what writing gives.
    virtual Result<void> write(Bytes head, LentBytes data) = 0;
};

struct Written {
    std::uint64_t blocks = 0;
    std::uint64_t bytes = 0; ///< Of the whole CAR.
    std::uint64_t missing_blocks = 0;
};

/// The CAR of the DAG below `root`, byte for byte what `ipfs dag export` writes, or with
/// `IdentityBlocks::left_out` what a gateway answers to `?format=car`.
/// Errors: as `Walk::next` and `output`.
Result<Written>
write_dag(BlockSource& source, const Cid& root, const WalkOptions& options, Output& output);

} // namespace ic::car
