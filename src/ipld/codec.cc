#include "ipld/codec.h"

#include "ipld/dag_cbor.h"
#include "ipld/dag_json.h"
#include "ipld/dag_pb_model.h"
#include "ipld/utf8.h"
#include "multiformats/multicodec.h"

#include <algorithm>
#include <string>

namespace ic::ipld {
namespace {

Error unsupported(Codec codec) {
    return {Errc::unsupported,
            "codec " + name_of(codec) +
                " cannot be read or written; raw, dag-pb, dag-cbor, dag-json, cbor and json can"};
}

bool has_link(const Node& node) {
    if (const auto* list = node.as<List>()) {
        return std::ranges::any_of(*list, has_link);
    }
    if (const auto* map = node.as<Map>()) {
        return std::ranges::any_of(*map, [](const auto& entry) { return has_link(entry.second); });
    }
    return node.as<Cid>() != nullptr;
}

/// Names of links in DAG-PB can be any bytes; CBOR's text cannot.
bool is_text_utf8(const Node& node) {
    if (const auto* text = node.as<std::string>()) {
        return is_utf8(*text);
    }
    if (const auto* list = node.as<List>()) {
        return std::ranges::all_of(*list, is_text_utf8);
    }
    if (const auto* map = node.as<Map>()) {
        return std::ranges::all_of(*map, [](const auto& entry) {
            return is_utf8(entry.first) && is_text_utf8(entry.second);
        });
    }
    return true;
}

Error link_in(std::string_view codec) {
    return {Errc::unsupported, std::string(codec) + " has no links; use dag-" + std::string(codec)};
}

Result<Bytes> encode_cbor(const Node& node, dag_cbor::KeyOrder order) {
    if (!is_text_utf8(node)) {
        return Error{Errc::malformed, "cbor holds text in UTF-8 alone"};
    }
    return dag_cbor::encode(node, order);
}

} // namespace

Result<Node> decode_as(Codec codec, ByteView block) {
    switch (codec) {
    case Codec::raw:
        return Node{copy_of(block)};
    case Codec::dag_pb:
        return dag_pb::to_model(block);
    case Codec::dag_cbor:
        return dag_cbor::decode(block);
    case Codec::dag_json:
        return dag_json::decode(block);
    case Codec::json:
        return plain_json::decode(block);
    case Codec::cbor: {
        Node node = TRY(dag_cbor::decode(block, dag_cbor::KeyOrder::as_given));
        return has_link(node) ? Result<Node>(link_in("cbor")) : Result<Node>(std::move(node));
    }
    case Codec::libp2p_key:
        break;
    }
    return unsupported(codec);
}

Result<Bytes> encode_as(Codec codec, const Node& node) {
    switch (codec) {
    case Codec::raw:
        if (const Bytes* bytes = node.as<Bytes>()) {
            return *bytes;
        }
        return Error{Errc::unsupported, "a raw block is bytes and nothing else"};
    case Codec::dag_pb:
        return dag_pb::from_model(node);
    case Codec::dag_cbor:
        return encode_cbor(node, dag_cbor::KeyOrder::canonical);
    case Codec::dag_json:
        return dag_json::encode(node);
    case Codec::json:
        return plain_json::encode(node);
    case Codec::cbor:
        return has_link(node) ? link_in("cbor") : encode_cbor(node, dag_cbor::KeyOrder::as_given);
    case Codec::libp2p_key:
        break;
    }
    return unsupported(codec);
}

} // namespace ic::ipld
