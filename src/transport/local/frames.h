#pragma once
/// Frames: several encoded messages in one datagram, each behind its length (varint), so that a
/// burst costs one system call. docs/formats/bus.md.

#include "base/bytes.h"
#include "base/result.h"
#include "job/message.h"

#include <deque>
#include <vector>

namespace ic::transport {

namespace limits {
/// The longest length prefix of a message within `job::limits::message_bytes_max`.
inline constexpr std::size_t frame_prefix_bytes_max = 3;
/// One message of the greatest size, alone in its datagram.
inline constexpr std::size_t datagram_bytes_max =
    job::limits::message_bytes_max + frame_prefix_bytes_max;
/// Messages are put together up to this size. Ours: beyond it a system call is the smaller cost.
inline constexpr std::size_t datagram_joined_bytes_max = 32U << 10U;
} // namespace limits

/// What waits to be sent to one peer.
class FrameQueue {
public:
    /// Appends a message. Requires: 1 to `job::limits::message_bytes_max` bytes.
    void push(ByteView message);

    bool empty() const { return datagrams_.empty(); }

    /// The datagram that is next. Requires: not empty.
    ByteView front() const { return datagrams_.front(); }

    void pop();

    /// All that waits.
    std::size_t bytes() const { return bytes_; }

    void clear();

private:
    std::deque<Bytes> datagrams_;
    std::size_t bytes_ = 0;
};

/// The messages of a datagram. Lifetime: as the datagram.
/// Errors: malformed (an empty or cut frame, or none), too_large.
Result<std::vector<ByteView>> split_frames(ByteView datagram);

} // namespace ic::transport
