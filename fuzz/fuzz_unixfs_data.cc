/// Property: whatever decodes, encodes back to exactly the bytes that were read.

#include "unixfs/data.h"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ic::ByteView input{data, size};
    const ic::Result<ic::unixfs::Data> message = ic::unixfs::decode_data(input);
    if (message && !std::ranges::equal(ic::unixfs::encode_data(*message), input)) {
        std::abort();
    }
    return 0;
}
