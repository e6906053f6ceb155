#include "transport/local/frames.h"

#include <gtest/gtest.h>

namespace ic::transport {
namespace {

TEST(Frames, JoinedMessagesComeApartAgain) {
    FrameQueue queue;
    std::vector<Bytes> sent;
    for (std::size_t size = 1; size < 400; ++size) {
        sent.emplace_back(size, static_cast<std::uint8_t>(size));
        queue.push(sent.back());
    }
    std::vector<Bytes> seen;
    std::size_t datagrams = 0;
    for (; !queue.empty(); queue.pop()) {
        ++datagrams;
        EXPECT_LE(queue.front().size(), limits::datagram_joined_bytes_max);
        const Result<std::vector<ByteView>> frames = split_frames(queue.front());
        ASSERT_TRUE(frames);
        for (const ByteView frame : *frames) {
            seen.push_back(copy_of(frame));
        }
    }
    EXPECT_EQ(seen, sent);
    EXPECT_EQ(datagrams, 3U) << "79,800 bytes go into three datagrams of 32 KiB";
    EXPECT_EQ(queue.bytes(), 0U);
}

TEST(Frames, TheLargestMessageGoesAlone) {
    FrameQueue queue;
    queue.push(Bytes(10, 1));
    queue.push(Bytes(job::limits::message_bytes_max, 2));
    queue.push(Bytes(10, 3));
    queue.pop();
    EXPECT_EQ(queue.front().size(), limits::datagram_bytes_max);
    EXPECT_EQ(split_frames(queue.front())->size(), 1U);
}

TEST(Frames, AreRefusedWhenEmptyCutOrTooLarge) {
    EXPECT_EQ(split_frames({}).error().code, Errc::malformed);
    const Bytes empty_frame{0x00};
    EXPECT_EQ(split_frames(empty_frame).error().code, Errc::malformed);
    const Bytes cut{0x02, 'a', 'b', 0x03, 'a', 'b'};
    EXPECT_EQ(split_frames(cut).error().code, Errc::malformed);
    const Bytes not_shortest{0x81, 0x00, 'a'};
    EXPECT_EQ(split_frames(not_shortest).error().code, Errc::malformed);
    Bytes large{0x81, 0x80, 0x08}; // 131,073: one more than a message may have.
    large.resize(large.size() + job::limits::message_bytes_max + 1);
    EXPECT_EQ(split_frames(large).error().code, Errc::too_large);
}

} // namespace
} // namespace ic::transport
