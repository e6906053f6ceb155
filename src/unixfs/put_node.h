#pragma once
/// How the builders of this folder name and write blocks.

#include "ipld/block.h"
#include "ipld/dag_pb.h"
#include "unixfs/profile.h"

#include <cstdint>

namespace ic::unixfs {

/// A node that was written: its name, and the bytes of its block and all below it.
struct Written {
    Cid cid;
    std::uint64_t tsize = 0;
};

/// The CID that `profile` gives a block: an identity CID if it is small enough to be inlined; v0
/// only for DAG-PB.
Cid block_cid(const Profile& profile, Codec codec, ByteView block);

/// Puts a block that its CID does not carry itself. Errors: as the sink's.
Result<void> put_block(BlockSink& sink, const Cid& cid, ByteView block);

/// Encodes `node`, puts it, and sums up the sizes. Errors: as the sink; too_large for a node above
/// `limits::block_bytes_max`, which nobody would accept.
Result<Written> put_node(const Profile& profile, BlockSink& sink, const dag_pb::Node& node);

} // namespace ic::unixfs
