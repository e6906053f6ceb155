#include "ipld/links.h"

#include "ipld/dag_cbor.h"
#include "ipld/dag_pb.h"

#include <string>
#include <utility>

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
    case Codec::libp2p_key:
        return links;
    case Codec::dag_pb:
        for (dag_pb::Link& link : TRY(dag_pb::decode(block)).node.links) {
            links.push_back(std::move(link.cid));
        }
        return links;
    case Codec::dag_cbor:
        collect(TRY(dag_cbor::decode(block)), links);
        return links;
    default:
        return Error{Errc::unsupported,
                     "the links of codec " + std::to_string(static_cast<std::uint64_t>(codec)) +
                         " cannot be read by this version"};
    }
}

} // namespace ic::ipld
