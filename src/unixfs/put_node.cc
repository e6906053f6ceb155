#include "unixfs/put_node.h"

#include "multiformats/multihash.h"

namespace ic::unixfs {

Cid block_cid(const Profile& profile, Codec codec, ByteView block) {
    if (profile.inline_bytes_max && block.size() <= *profile.inline_bytes_max) {
        return cid_of(codec, HashCode::identity, block);
    }
    if (profile.cid_version == 0 && codec == Codec::dag_pb) {
        return Cid::v0(sha2_256(block));
    }
    return cid_of(codec, profile.hash, block);
}

Result<void> put_block(BlockSink& sink, const Cid& cid, ByteView block) {
    return cid.hash() == HashCode::identity ? Result<void>{} : sink.put(cid, block);
}

Result<Written> put_node(const Profile& profile, BlockSink& sink, const dag_pb::Node& node) {
    const Bytes block = dag_pb::encode(node);
    if (block.size() > ic::limits::block_bytes_max) {
        return Error{Errc::too_large, "a UnixFS node would have more than 2 MiB"};
    }
    Written written{.cid = block_cid(profile, Codec::dag_pb, block), .tsize = block.size()};
    for (const dag_pb::Link& link : node.links) {
        written.tsize += link.tsize;
    }
    TRY(put_block(sink, written.cid, block));
    return written;
}

} // namespace ic::unixfs
