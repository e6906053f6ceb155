#pragma once
/// Walk: the blocks of a DAG in the order in which Kubo exports them.

#include "base/result.h"
#include "ipld/block.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_set>
#include <vector>

namespace ic::car {

namespace limits {
/// Ours: links of blocks above the current one that are kept, some 64 bytes each. Beyond that the
/// blocks nearest to the root are read again when the walk comes back to them.
inline constexpr std::size_t waiting_links_max = std::size_t{1} << 18U;
} // namespace limits

/// What becomes of CIDs that carry their block themselves: `ipfs dag export` writes them as blocks
/// like all others, a gateway leaves them out.
enum class IdentityBlocks : std::uint8_t { given, left_out };

/// What becomes of a block that the source does not have: the walk ends with the source's error, or
/// goes on without it and what is below it (`ipfs dag export --local-only`).
enum class MissingBlocks : std::uint8_t { fail, leave_out };

struct WalkOptions {
    IdentityBlocks identity = IdentityBlocks::given;
    MissingBlocks missing = MissingBlocks::fail;
};

/// Depth first, links in the order in which they stand, a block before what it links to, each CID
/// once. The same DAG gives the same order always, so an export can go on where one ended.
///
/// Tells the source what it will ask for next (`BlockSource::expect`), so that it can fetch ahead.
///
/// Memory: 90 bytes or so a CID that was seen, which is what grows (100 GB in blocks of 1 MiB: 10
/// MB); a block; and `limits::waiting_links_max` links. Depth costs no stack.
///
/// Threads: one at a time. Lifetime: the source must outlive it.
class Walk {
public:
    Walk(BlockSource& source, Cid root, WalkOptions options = {});

    /// The next block, or nothing after the last one.
    /// Errors: as the source; malformed, too_large and unsupported for a block whose links cannot
    ///         be read, which was given before.
    Result<std::optional<Block>> next();

    /// Blocks that were left out because they are missing.
    std::uint64_t missing_blocks() const { return missing_blocks_; }

private:
    /// A block with links that were not followed yet.
    struct Level {
        Cid cid;
        std::size_t next = 0;
        std::vector<Cid> links; ///< Empty: to be read again.
        std::size_t count = 0;  ///< Of all links.
    };

    Result<void> enter(const Block& block);
    void announce();
    Result<std::optional<Cid>> next_link();
    void forget_far_links();

    BlockSource& source_;
    WalkOptions options_;
    const Cid root_;
    bool is_begun_ = false;
    Result<void> entered_;      ///< Whether the links of the block given last could be read.
    std::vector<Level> levels_; ///< From the root down.
    std::size_t waiting_links_ = 0;
    std::size_t forgotten_levels_ = 0; ///< So many of `levels_`, from the root, have no links.
    std::unordered_set<Cid> seen_;
    std::uint64_t missing_blocks_ = 0;
};

} // namespace ic::car
