#include "ipld/dag_pb.h"

#include "ipld/protobuf.h"

#include <utility>

namespace ic::dag_pb {
namespace {

using protobuf::Field;
using protobuf::Wire;

// Field numbers. Source: the specification's "Serial Format".
constexpr unsigned node_data = 1;
constexpr unsigned node_links = 2;
constexpr unsigned link_hash = 1;
constexpr unsigned link_name = 2;
constexpr unsigned link_tsize = 3;

Error malformed(const char* message) { return {Errc::malformed, message}; }

std::size_t link_message_bytes(std::size_t cid_bytes, std::size_t name_bytes, std::uint64_t tsize) {
    return protobuf::field_bytes(cid_bytes) + protobuf::field_bytes(name_bytes) + 1 +
           protobuf::varint_bytes(tsize);
}

Result<Link> decode_link(ByteView input, Form& form) {
    Link link;
    std::uint64_t previous = 0;
    std::size_t fields = 0;
    for (; !input.empty(); ++fields) {
        const Field field = TRY(protobuf::take_field(input));
        if (field.number <= previous) {
            return malformed("dag-pb link has a field twice or out of order");
        }
        previous = field.number;
        if (field.is(link_hash, Wire::bytes)) {
            link.cid = TRY(Cid::from_bytes(field.bytes));
        } else if (fields == 0) {
            return malformed("dag-pb link has no hash");
        } else if (field.is(link_name, Wire::bytes)) {
            link.name = text_of(field.bytes);
        } else if (field.is(link_tsize, Wire::varint)) {
            link.tsize = field.value;
        } else {
            return malformed("dag-pb link has an unknown field");
        }
    }
    if (fields == 0) {
        return malformed("dag-pb link has no hash");
    }
    if (fields < 3) {
        form = Form::tolerated;
    }
    return link;
}

} // namespace

std::size_t encoded_link_bytes(std::size_t cid_bytes, std::size_t name_bytes, std::uint64_t tsize) {
    return protobuf::field_bytes(link_message_bytes(cid_bytes, name_bytes, tsize));
}

Bytes encode(const Node& node) {
    std::size_t size = node.data ? protobuf::field_bytes(node.data->size()) : 0;
    for (const Link& link : node.links) {
        size += encoded_link_bytes(link.cid.bytes().size(), link.name.size(), link.tsize);
    }
    Bytes out;
    out.reserve(size);
    for (const Link& link : node.links) {
        const ByteView hash = link.cid.bytes();
        protobuf::append_head(
            out, node_links, link_message_bytes(hash.size(), link.name.size(), link.tsize));
        protobuf::append_bytes(out, link_hash, hash);
        protobuf::append_bytes(out, link_name, bytes_of(link.name));
        protobuf::append_varint(out, link_tsize, link.tsize);
    }
    if (node.data) {
        protobuf::append_bytes(out, node_data, *node.data);
    }
    return out;
}

Result<Decoded> decode(ByteView input) {
    Decoded decoded;
    std::vector<Link>& links = decoded.node.links;
    std::optional<ByteView>& data = decoded.node.data;
    bool links_ended = false;
    while (!input.empty()) {
        const Field field = TRY(protobuf::take_field(input));
        if (field.is(node_data, Wire::bytes)) {
            if (data) {
                return malformed("dag-pb node has data twice");
            }
            data = field.bytes;
            links_ended = !links.empty();
        } else if (field.is(node_links, Wire::bytes)) {
            if (links_ended) {
                return malformed("dag-pb node has data among its links");
            }
            if (links.size() == limits::links_max) {
                return Error{Errc::too_large, "dag-pb node has more than 65536 links"};
            }
            if (data) {
                decoded.form = Form::tolerated;
            }
            Link link = TRY(decode_link(field.bytes, decoded.form));
            if (!links.empty() && link.name < links.back().name) {
                decoded.form = Form::tolerated;
            }
            links.push_back(std::move(link));
        } else {
            return malformed("dag-pb node has an unknown field");
        }
    }
    return decoded;
}

} // namespace ic::dag_pb
