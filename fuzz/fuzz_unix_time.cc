/// Property: whatever decodes, encodes back to exactly the bytes that were read.

#include "unixfs/metadata.h"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ic::ByteView input{data, size};
    const ic::Result<ic::unixfs::UnixTime> time = ic::unixfs::decode_unix_time(input);
    if (time && !std::ranges::equal(ic::unixfs::encode_unix_time(*time), input)) {
        std::abort();
    }
    return 0;
}
