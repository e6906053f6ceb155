#include "car/header.h"

#include "ipld/dag_cbor.h"
#include "multiformats/varint.h"

#include <cassert>
#include <string>
#include <utility>

namespace ic::car {
namespace {

Error malformed(const char* message) { return {Errc::malformed, message}; }

} // namespace

Bytes encode_header(std::span<const Cid> roots) {
    ipld::List list;
    for (const Cid& root : roots) {
        list.emplace_back(root);
    }
    const Bytes body = dag_cbor::encode(ipld::Map{{"roots", ipld::Node{std::move(list)}},
                                                  {"version", ipld::Node{std::uint64_t{1}}}});
    assert(body.size() < limits::header_bytes_max);
    Bytes out;
    append_varint(out, body.size());
    out.insert(out.end(), body.begin(), body.end());
    return out;
}

Result<Header> decode_header(ByteView input) {
    const ipld::Node node = TRY(dag_cbor::decode(input));
    const ipld::Map* map = node.as<ipld::Map>();
    const ipld::Node* version_node = node.find("version");
    const auto* version = version_node == nullptr ? nullptr : version_node->as<std::uint64_t>();
    if (map == nullptr || version == nullptr) {
        return malformed("a CAR starts with a map that has a version");
    }
    if (*version != 1 && *version != 2) {
        return Error{Errc::unsupported,
                     "this is a CAR of version " + std::to_string(*version) +
                         "; versions 1 and 2 can be read"};
    }
    Header header{.version = static_cast<int>(*version)};
    const ipld::Node* roots_node = node.find("roots");
    if (header.version == 2) {
        return map->size() == 1 ? Result<Header>(std::move(header))
                                : malformed("the pragma of a CARv2 is its version alone");
    }
    const ipld::List* roots = roots_node == nullptr ? nullptr : roots_node->as<ipld::List>();
    if (roots == nullptr || map->size() != 2) {
        return malformed("the header of a CARv1 has roots and version, and nothing else");
    }
    for (const ipld::Node& root : *roots) {
        const Cid* cid = root.as<Cid>();
        if (cid == nullptr) {
            return malformed("the roots of a CAR are links");
        }
        header.roots.push_back(*cid);
    }
    return header;
}

} // namespace ic::car
