#pragma once
/// LeafMaker: a chunk in, the leaf of a file out; and Part, all that the nodes above need of it.

#include "base/bytes.h"
#include "multiformats/cid.h"
#include "unixfs/metadata.h"
#include "unixfs/profile.h"

#include <cstdint>

namespace ic::unixfs {

/// A leaf or a subtree of a file, ready to be linked.
struct Part {
    Cid cid{};
    std::uint64_t tsize = 0;         ///< Bytes of all its blocks.
    std::uint64_t content_bytes = 0; ///< Bytes of the file in it.

    friend bool operator==(const Part&, const Part&) = default;
};

/// Lifetime: `block` is the chunk itself, or lies in the room that was given.
struct Leaf {
    Part part{};
    ByteView block{};

    /// Whether the CID carries the block, which is then not put anywhere.
    bool is_inline() const { return part.cid.hash() == HashCode::identity; }
};

/// The one place where leaves are encoded and hashed. Pure, so that many threads may do it.
/// Threads: any, each with a room of its own.
class LeafMaker {
public:
    LeafMaker(const Profile& profile, const Metadata& metadata);

    /// A leaf among several. `room` takes the encoded leaf if the chunk alone is not it (DAG-PB);
    /// it keeps its capacity from call to call. Requires: at most `limits::chunk_bytes_max`.
    Leaf make(ByteView chunk, Bytes& room) const;

    /// The leaf of a file that is one chunk, or empty. In the balanced layout it is the root and
    /// carries the metadata; else it is as any other.
    Leaf make_only(ByteView chunk, Bytes& room) const;

private:
    Leaf make_with(ByteView chunk, Bytes& room, const Metadata& metadata) const;

    Profile profile_;
    Metadata metadata_;
};

} // namespace ic::unixfs
