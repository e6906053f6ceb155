/// Property: whatever message decodes, encodes back to exactly the bytes that were read.

#include "executor/channel/message.h"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ic::ByteView whole{data, size};
    const ic::Result<ic::executor::channel::Message> message = ic::executor::channel::decode(whole);
    if (!message) {
        return 0;
    }
    ic::Bytes again;
    if (!ic::executor::channel::encode(*message, again) || !std::ranges::equal(whole, again)) {
        std::abort();
    }
    return 0;
}
