#include "unixfs/load_node.h"

#include <utility>

namespace ic::unixfs {
namespace {

Result<LoadedNode> loaded(BlockSource& source, const Cid& cid) {
    if (cid.codec() != Codec::raw && cid.codec() != Codec::dag_pb) {
        return Error{Errc::unsupported, "not UnixFS: neither raw nor dag-pb"};
    }
    LoadedNode node{.block = TRY(fetch(source, cid))};
    if (cid.codec() == Codec::raw) {
        node.data.data = node.block.view();
        node.data.file_size = node.block.size();
        return node;
    }
    dag_pb::Decoded decoded = TRY(dag_pb::decode(node.block.view()));
    if (!decoded.node.data) {
        return Error{Errc::unsupported, "not UnixFS: a dag-pb node without data"};
    }
    node.data = TRY(decode_data(*decoded.node.data));
    node.links = std::move(decoded.node.links);
    return node;
}

} // namespace

Result<LoadedNode> load_node(BlockSource& source, const Cid& cid) {
    Result<LoadedNode> node = loaded(source, cid);
    if (!node) {
        return std::move(node).take_error().during("reading " + cid.to_string());
    }
    return node;
}

} // namespace ic::unixfs
