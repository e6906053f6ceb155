#include "unixfs/put_node.h"

#include "multiformats/multihash.h"

namespace ic::unixfs {

Cid node_cid(const Profile& profile, ByteView block) {
    return profile.cid_version == 0 ? Cid::v0(sha2_256(block)) : cid_of(Codec::dag_pb, block);
}

Result<Written> put_node(const Profile& profile, BlockSink& sink, const dag_pb::Node& node) {
    const Bytes block = dag_pb::encode(node);
    if (block.size() > ic::limits::block_bytes_max) {
        return Error{Errc::too_large, "a UnixFS node would have more than 2 MiB"};
    }
    Written written{.cid = node_cid(profile, block), .tsize = block.size()};
    for (const dag_pb::Link& link : node.links) {
        written.tsize += link.tsize;
    }
    TRY(sink.put(written.cid, block));
    return written;
}

} // namespace ic::unixfs
