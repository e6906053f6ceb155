#include "unixfs/leaf_maker.h"

#include "ipld/protobuf.h"
#include "unixfs/data.h"
#include "unixfs/put_node.h"

#include <cassert>

namespace ic::unixfs {
namespace {

/// A whole DAG-PB node around `chunk`, written to `out` in one pass. The same as encoding a Data
/// and then a Node, without copying the chunk twice.
void write_leaf(Bytes& out, DataType type, ByteView chunk, const Metadata& metadata) {
    // What an empty leaf of the same kind has behind type and content is behind those of any.
    const Bytes rest = encode_data(
        {.type = type, .file_size = chunk.size(), .mode = metadata.mode, .mtime = metadata.mtime});
    constexpr std::size_t type_bytes = 2;
    const std::size_t content_bytes =
        chunk.empty() ? 0 : protobuf::field_bytes(chunk.size()); // Kubo leaves an empty one out.

    out.clear();
    out.reserve(protobuf::field_bytes(rest.size() + content_bytes));
    protobuf::append_head(out, 1, rest.size() + content_bytes);
    out.insert(out.end(), rest.begin(), rest.begin() + type_bytes);
    if (!chunk.empty()) {
        protobuf::append_bytes(out, 2, chunk);
    }
    out.insert(out.end(), rest.begin() + type_bytes, rest.end());
}

} // namespace

LeafMaker::LeafMaker(const Profile& profile, const Metadata& metadata)
    : profile_(profile)
    , metadata_(metadata) {
    assert(metadata.empty() || profile.leaves == Leaves::dag_pb);
    if (metadata_.mode == 0U) {
        metadata_.mode.reset();
    }
}

Leaf LeafMaker::make(ByteView chunk, Bytes& room) const { return make_with(chunk, room, {}); }

Leaf LeafMaker::make_only(ByteView chunk, Bytes& room) const {
    return make_with(chunk, room, profile_.layout == Layout::balanced ? metadata_ : Metadata{});
}

Leaf LeafMaker::make_with(ByteView chunk, Bytes& room, const Metadata& metadata) const {
    assert(chunk.size() <= limits::chunk_bytes_max);
    Leaf leaf{.block = chunk};
    if (profile_.leaves == Leaves::dag_pb) {
        // Kubo's trickle layout gives its leaves the other of the two types that mean content.
        write_leaf(room,
                   profile_.layout == Layout::balanced ? DataType::file : DataType::raw,
                   chunk,
                   metadata);
        leaf.block = room;
    }
    const Codec codec = profile_.leaves == Leaves::raw ? Codec::raw : Codec::dag_pb;
    leaf.part = {.cid = block_cid(profile_, codec, leaf.block),
                 .tsize = leaf.block.size(),
                 .content_bytes = chunk.size()};
    return leaf;
}

} // namespace ic::unixfs
