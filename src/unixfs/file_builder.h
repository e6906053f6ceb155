#pragma once
/// FileBuilder: bytes in, the DAG of a UnixFS file out.
/// Source: IPIP-0499 and specs.ipfs.tech/unixfs, "balanced" layout.

#include "base/bytes.h"
#include "base/result.h"
#include "ipld/block.h"
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

/// Cuts what is written into chunks and links them as soon as a node is full, so memory is bounded
/// by one chunk and one unfinished node a level, whatever the size of the file.
/// Threads: one at a time. Lifetime: the sink outlives it. After an error only destroy it.
class FileBuilder {
public:
    FileBuilder(const Profile& profile, BlockSink& sink);

    /// Chunks that lie whole in `bytes` are hashed and put from there, without a copy: pass large
    /// pieces. Errors: as the sink's.
    Result<void> write(ByteView bytes);

    /// The root of everything written. Once.
    Result<Entry> finish();

private:
    /// A subtree that waits for its parent.
    struct Part {
        Cid cid;
        std::uint64_t tsize = 0;
        std::uint64_t content_bytes = 0;
    };

    Result<void> put_leaf(ByteView chunk);
    Result<void> add_part(std::size_t level, Part part);
    Result<void> close_level(std::size_t level);

    Profile profile_;
    BlockSink& sink_;
    Bytes chunk_;                           ///< Less than a chunk, when pieces are small.
    Bytes leaf_;                            ///< Room for DAG-PB leaves, used again and again.
    std::vector<std::vector<Part>> levels_; ///< [0] leaves; none ever holds `links_max` parts.
};

} // namespace ic::unixfs
