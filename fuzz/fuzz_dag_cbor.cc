/// Property: whatever decodes, encodes back to exactly the bytes that were read.

#include "ipld/dag_cbor.h"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ic::ByteView input{data, size};
    const ic::Result<ic::ipld::Node> node = ic::dag_cbor::decode(input);
    if (node && !std::ranges::equal(ic::dag_cbor::encode(*node), input)) {
        std::abort();
    }
    return 0;
}
