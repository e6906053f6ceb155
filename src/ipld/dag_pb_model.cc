#include "ipld/dag_pb_model.h"

#include "ipld/dag_pb.h"
#include "ipld/protobuf.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

namespace ic::dag_pb {
namespace {

using ipld::List;
using ipld::Map;
using Value = ipld::Node;
using protobuf::Field;

// Field numbers. Source: the specification's "Serial Format".
constexpr unsigned node_data = 1;
constexpr unsigned node_links = 2;
constexpr unsigned link_hash = 1;
constexpr unsigned link_name = 2;
constexpr unsigned link_tsize = 3;

Error malformed(std::string message) { return {Errc::malformed, std::move(message)}; }

Result<Map> link_model(ByteView input) {
    Value hash, name, tsize;
    while (!input.empty()) {
        const Field field = TRY(protobuf::take_field(input));
        if (field.number == link_hash) {
            hash = TRY(Cid::from_bytes(field.bytes));
        } else if (field.number == link_name) {
            name = text_of(field.bytes);
        } else {
            tsize = field.value;
        }
    }
    return Map{{"Hash", std::move(hash)}, {"Name", std::move(name)}, {"Tsize", std::move(tsize)}};
}

/// Refuses a key that is not among `allowed`.
Result<void> check_keys(const Map& map, std::span<const std::string_view> allowed) {
    for (const auto& [key, value] : map) {
        if (std::ranges::find(allowed, key) == allowed.end()) {
            return malformed("dag-pb has no field \"" + key.substr(0, 64) + "\"");
        }
    }
    return {};
}

/// The value of `key` as a T; nothing if there is no such key or it is null.
/// Errors: malformed for another kind.
template <class T>
Result<const T*> optional_field(const Value& node, std::string_view key) {
    const Value* value = node.find(key);
    const T* typed = value == nullptr ? nullptr : value->as<T>();
    if (value != nullptr && !value->is_null() && typed == nullptr) {
        return malformed("dag-pb field \"" + std::string(key) + "\" is of another kind");
    }
    return typed;
}

struct EncodedLink {
    std::string_view name;
    std::size_t place = 0; ///< Among all links as they were given.
    Bytes message{};
};

Result<EncodedLink> encoded_link(const Value& node) {
    constexpr std::string_view allowed[] = {"Hash", "Name", "Tsize"};
    const Map* map = node.as<Map>();
    if (map == nullptr) {
        return malformed("a dag-pb link is a map");
    }
    TRY(check_keys(*map, allowed));
    const Cid* hash = TRY(optional_field<Cid>(node, "Hash"));
    if (hash == nullptr) {
        return malformed("a dag-pb link needs a Hash");
    }
    const std::string* name = TRY(optional_field<std::string>(node, "Name"));
    const std::uint64_t* tsize = TRY(optional_field<std::uint64_t>(node, "Tsize"));
    EncodedLink link;
    protobuf::append_bytes(link.message, link_hash, hash->bytes());
    if (name != nullptr) {
        link.name = *name;
        protobuf::append_bytes(link.message, link_name, bytes_of(*name));
    }
    if (tsize != nullptr) {
        if (*tsize >> 63U != 0) {
            return malformed("a dag-pb Tsize is below 2^63");
        }
        protobuf::append_varint(link.message, link_tsize, *tsize);
    }
    return link;
}

} // namespace

Result<Value> to_model(ByteView block) {
    TRY(decode(block)); // Whatever is wrong is found here; the fields are as they must be below.
    Value data;
    List links;
    while (!block.empty()) {
        const Field field = TRY(protobuf::take_field(block));
        if (field.number == node_data) {
            data = copy_of(field.bytes);
        } else {
            links.emplace_back(TRY(link_model(field.bytes)));
        }
    }
    return Value{Map{{"Data", std::move(data)}, {"Links", Value{std::move(links)}}}};
}

Result<Bytes> from_model(const Value& node) {
    constexpr std::string_view allowed[] = {"Data", "Links"};
    const Map* map = node.as<Map>();
    if (map == nullptr) {
        return malformed("a dag-pb node is a map of Links and, if it has some, Data");
    }
    TRY(check_keys(*map, allowed));
    const List* list = TRY(optional_field<List>(node, "Links"));
    if (list == nullptr) {
        return malformed("a dag-pb node needs Links, be they none: \"Links\":[]");
    }
    if (list->size() > limits::links_max) {
        return Error{Errc::too_large, "dag-pb node has more than 65536 links"};
    }
    std::vector<EncodedLink> links;
    for (const Value& link : *list) {
        links.push_back(TRY(encoded_link(link)));
        links.back().place = links.size();
    }
    std::ranges::sort(links, [](const EncodedLink& left, const EncodedLink& right) {
        return std::tie(left.name, left.place) < std::tie(right.name, right.place);
    });
    Bytes out;
    for (const EncodedLink& link : links) {
        protobuf::append_bytes(out, node_links, link.message);
    }
    if (const Bytes* data = TRY(optional_field<Bytes>(node, "Data"))) {
        protobuf::append_bytes(out, node_data, *data);
    }
    return out;
}

} // namespace ic::dag_pb
