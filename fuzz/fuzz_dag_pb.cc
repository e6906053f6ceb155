/// Properties: canonical input encodes back to itself, and no other does unless only its links are
/// not sorted; what is encoded decodes to the same node.

#include "ipld/dag_pb.h"

#include <algorithm>
#include <cstdlib>

namespace {

namespace dag_pb = ic::dag_pb;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

bool same_data(const dag_pb::Node& left, const dag_pb::Node& right) {
    return left.data.has_value() == right.data.has_value() &&
           (!left.data || std::ranges::equal(*left.data, *right.data));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ic::ByteView input{data, size};
    const ic::Result<dag_pb::Decoded> first = dag_pb::decode(input);
    if (!first) {
        return 0;
    }
    const ic::Bytes written = dag_pb::encode(first->node);
    const bool sorted = std::ranges::is_sorted(first->node.links, {}, &dag_pb::Link::name);
    const bool is_same = std::ranges::equal(written, input);
    require((first->form == dag_pb::Form::canonical) == (is_same && sorted));

    const ic::Result<dag_pb::Decoded> second = dag_pb::decode(written);
    require(second.ok());
    require(second->node.links == first->node.links && same_data(second->node, first->node));
    return 0;
}
