/// Properties, for JSON with links and without: what is read is written in one form, which reads as
/// the same value and writes as the same text; but a float that is a whole number is written as an
/// integer, which may be too large to be read as one. What DAG-CBOR can hold as well comes back
/// from there unchanged.

#include "ipld/dag_cbor.h"
#include "ipld/dag_json.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace {

using ic::ipld::List;
using ic::ipld::Map;
using ic::ipld::Node;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

bool has_whole_float(const Node& node) {
    if (const auto* list = node.as<List>()) {
        return std::ranges::any_of(*list, has_whole_float);
    }
    if (const auto* map = node.as<Map>()) {
        return std::ranges::any_of(*map,
                                   [](const auto& entry) { return has_whole_float(entry.second); });
    }
    const auto* real = node.as<double>();
    return real != nullptr && std::trunc(*real) == *real;
}

/// The same value in the order that DAG-CBOR gives the keys.
bool same_in_cbor(const Node& left, const Node& right) {
    return ic::dag_cbor::encode(left) == ic::dag_cbor::encode(right);
}

template <class Decode, class Encode>
void check(ic::ByteView input, Decode decode, Encode encode) {
    const ic::Result<Node> first = decode(input);
    if (!first) {
        return;
    }
    const ic::Result<ic::Bytes> written = encode(*first);
    require(written.ok());
    const ic::Result<Node> second = decode(*written);
    if (!has_whole_float(*first)) {
        require(second.ok() && same_in_cbor(*first, *second) && *encode(*second) == *written);
    }
    const ic::Result<Node> from_cbor = ic::dag_cbor::decode(ic::dag_cbor::encode(*first));
    require(from_cbor.ok() && same_in_cbor(*first, *from_cbor));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ic::ByteView input{data, size};
    check(input, ic::dag_json::decode, ic::dag_json::encode);
    check(input, ic::plain_json::decode, ic::plain_json::encode);
    return 0;
}
