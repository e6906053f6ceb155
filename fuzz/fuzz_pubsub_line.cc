/// Property: what is accepted is within the bounds, and means the same when it is written again.

#include "base/bytes.h"
#include "kubo/pubsub_line.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ic::kubo;
    const ic::Result<PubsubMessage> message = decode_pubsub_line(ic::text_of({data, size}));
    if (!message) {
        return 0;
    }
    const ic::Result<PubsubMessage> again = decode_pubsub_line(encode_pubsub_line(*message));
    if (!again || *again != *message || !is_peer_id(message->from) ||
        message->data.size() > limits::pubsub_message_bytes_max) {
        std::abort();
    }
    return 0;
}
