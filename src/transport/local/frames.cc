#include "transport/local/frames.h"

#include "multiformats/varint.h"

#include <cassert>

namespace ic::transport {

void FrameQueue::push(ByteView message) {
    assert(!message.empty() && message.size() <= job::limits::message_bytes_max);
    const std::size_t need = message.size() + limits::frame_prefix_bytes_max;
    if (datagrams_.empty() || datagrams_.back().size() + need > limits::datagram_joined_bytes_max) {
        datagrams_.emplace_back();
    }
    Bytes& last = datagrams_.back();
    const std::size_t before = last.size();
    append_varint(last, message.size());
    last.insert(last.end(), message.begin(), message.end());
    bytes_ += last.size() - before;
}

void FrameQueue::pop() {
    bytes_ -= datagrams_.front().size();
    datagrams_.pop_front();
}

void FrameQueue::clear() {
    datagrams_.clear();
    bytes_ = 0;
}

Result<std::vector<ByteView>> split_frames(ByteView datagram) {
    if (datagram.empty()) {
        return Error{Errc::malformed, "an empty datagram"};
    }
    std::vector<ByteView> messages;
    while (!datagram.empty()) {
        const std::uint64_t size = TRY(take_varint(datagram));
        if (size > job::limits::message_bytes_max) {
            return Error{Errc::too_large, "a message is too large"};
        }
        if (size == 0 || size > datagram.size()) {
            return Error{Errc::malformed, "a message is empty or cut"};
        }
        messages.push_back(datagram.first(static_cast<std::size_t>(size)));
        datagram = datagram.subspan(static_cast<std::size_t>(size));
    }
    return messages;
}

} // namespace ic::transport
