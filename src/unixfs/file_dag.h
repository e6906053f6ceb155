#pragma once
/// FileDag: the leaves of a file in, the nodes above them out.
/// Source: IPIP-0499 and specs.ipfs.tech/unixfs, "balanced" layout; boxo v0.42
/// `importer/trickle` for the other.

#include "base/result.h"
#include "ipld/block.h"
#include "unixfs/leaf_maker.h"
#include "unixfs/metadata.h"
#include "unixfs/profile.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ic::unixfs {

/// What was built, ready to be linked from a directory.
struct Entry {
    Cid cid;
    std::uint64_t tsize = 0;     ///< Bytes of all blocks, as Kubo's `add` reports.
    std::uint64_t file_size = 0; ///< Bytes of content; 0 for a directory.

    friend bool operator==(const Entry&, const Entry&) = default;
};

/// Links leaves as they come, so memory is bounded by one unfinished node a level, whatever the
/// size of the file. The leaves' blocks are whose who made them: this puts nodes alone.
/// Threads: one at a time. Lifetime: the sink outlives it. After an error only destroy it.
class FileDag {
public:
    FileDag(const Profile& profile, const Metadata& metadata, BlockSink& sink);

    /// The next leaf, from `LeafMaker::make`; or the only one, from `make_only`.
    /// Errors: as the sink's; too_large if `links_max` would make a node that nobody accepts.
    Result<void> add(Part leaf);

    /// The root of everything added. Once. A file without content needs no leaf.
    Result<Entry> finish();

private:
    /// A node that is not full yet.
    struct Open {
        std::vector<Part> parts{};
        std::size_t depth_max = 0; ///< Trickle: below it are nodes less deep than this.
        std::size_t subtrees = 0;  ///< Trickle: so many of its parts are nodes.
    };

    Result<void> add_balanced(std::size_t level, Part part);
    Result<Entry> finish_balanced();
    Result<void> add_trickle(Part leaf);
    Result<void> close_last();
    Result<Entry> finish_trickle();
    Result<Part> put_parts(const std::vector<Part>& parts, const Metadata& metadata);

    Profile profile_;
    Metadata metadata_;
    BlockSink& sink_;
    std::vector<Open> open_; ///< Balanced: by level, leaves first. Trickle: from the root down.
};

} // namespace ic::unixfs
