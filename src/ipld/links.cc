#include "ipld/links.h"

#include "ipld/dag_cbor.h"
#include "ipld/dag_json.h"
#include "ipld/dag_pb.h"
#include "multiformats/multicodec.h"

namespace ic::ipld {
namespace {

/// Recursion as deep as the decoder allows.
void collect(const Node& node, std::vector<Cid>& links) {
    if (const Cid* cid = node.as<Cid>()) {
        links.push_back(*cid);
    } else if (const List* list = node.as<List>()) {
        for (const Node& item : *list) {
            collect(item, links);
        }
    } else if (const Map* map = node.as<Map>()) {
        for (const auto& [key, value] : *map) {
            collect(value, links);
        }
    }
}

} // namespace

Result<std::vector<Cid>> links_of(Codec codec, ByteView block) {
    std::vector<Cid> links;
    switch (codec) {
    case Codec::raw:
    case Codec::cbor:
    case Codec::json:
    case Codec::libp2p_key:
        return links;
    case Codec::dag_pb: {
        const dag_pb::Decoded decoded = TRY(dag_pb::decode(block));
        for (const dag_pb::Link& link : decoded.node.links) {
            links.push_back(link.cid);
        }
        return links;
    }
    case Codec::dag_cbor:
        return dag_cbor::links(block);
    case Codec::dag_json:
        collect(TRY(dag_json::decode(block)), links);
        return links;
    }
    return Error{Errc::unsupported,
                 "the links of codec " + name_of(codec) + " cannot be read by this version"};
}

} // namespace ic::ipld
