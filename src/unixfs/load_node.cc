#include "unixfs/load_node.h"

#include <utility>

namespace ic::unixfs {
namespace {

Result<LoadedNode> decoded(LentBytes block, const Cid& cid) {
    LoadedNode node{.block = std::move(block)};
    if (cid.codec() == Codec::raw) {
        node.data.data = node.block.view();
        node.data.file_size = node.block.size();
        return node;
    }
    dag_pb::Decoded content = TRY(dag_pb::decode(node.block.view()));
    if (!content.node.data) {
        return Error{Errc::unsupported, "not UnixFS: a dag-pb node without data"};
    }
    node.data = TRY(decode_data(*content.node.data));
    node.links = std::move(content.node.links);
    return node;
}

} // namespace

Result<LoadedNode> load_node(BlockSource& source, const Cid& cid) {
    Result<LoadedNode> node = Error{Errc::unsupported, "not UnixFS: neither raw nor dag-pb"};
    if (cid.codec() == Codec::raw || cid.codec() == Codec::dag_pb) {
        node = decoded(TRY(fetch(source, cid)), cid); // The errors of fetching name the block.
    }
    if (!node) {
        return std::move(node).take_error().during("reading " + cid.to_string());
    }
    return node;
}

} // namespace ic::unixfs
