/// Properties: a hello that decodes encodes back to the same bytes; frames that come apart, put
/// together again by a queue, are the same datagram wherever it is within the joining limit.

#include "transport/local/frames.h"
#include "transport/local/hello.h"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ic::ByteView input{data, size};
    const ic::Result<ic::transport::Hello> hello = ic::transport::decode_hello(input);
    if (hello && !std::ranges::equal(ic::transport::encode(*hello), input)) {
        std::abort();
    }
    const ic::Result<std::vector<ic::ByteView>> frames = ic::transport::split_frames(input);
    if (frames && size + ic::transport::limits::frame_prefix_bytes_max <=
                      ic::transport::limits::datagram_joined_bytes_max) {
        ic::transport::FrameQueue queue;
        for (const ic::ByteView frame : *frames) {
            queue.push(frame);
        }
        if (!std::ranges::equal(queue.front(), input)) {
            std::abort();
        }
    }
    return 0;
}
