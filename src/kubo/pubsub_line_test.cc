#include "kubo/pubsub_line.h"

#include <gtest/gtest.h>

namespace ic::kubo {
namespace {

// Measured with Kubo 0.43; the sender's ID is made whole.
constexpr std::string_view measured =
    R"({"from":"12D3KooWDcV7TfY3Y1bWcGVvmz6YaHrGxuJXtnFDRQjGjS4CBs7C",)"
    R"("data":"uaGVsbG8gZnJvbSBub2RlMg","seqno":"uGOp9dmatrPk",)"
    R"("topicIDs":["uaXBmcy1jb21wdXRlL3Rlc3Q"]})";

TEST(PubsubLine, ReadsWhatKuboWrites) {
    const Result<PubsubMessage> message = decode_pubsub_line(measured);
    ASSERT_TRUE(message.ok()) << message.error().message;
    EXPECT_EQ(message->from, "12D3KooWDcV7TfY3Y1bWcGVvmz6YaHrGxuJXtnFDRQjGjS4CBs7C");
    EXPECT_EQ(text_of(message->data), "hello from node2");
    EXPECT_EQ(to_hex(message->seqno), "18ea7d7666adacf9");
    EXPECT_EQ(*decode_pubsub_line(encode_pubsub_line(*message)), *message);
}

TEST(PubsubLine, ToleratesFieldsThatAreMissingOrNew) {
    const Result<PubsubMessage> message =
        decode_pubsub_line(R"({"from":"Qm1","data":"u","new":[{}]})");
    ASSERT_TRUE(message.ok()) << message.error().message;
    EXPECT_TRUE(message->data.empty());
    EXPECT_TRUE(message->seqno.empty());
}

TEST(PubsubLine, RefusesWhatIsNoMessage) {
    for (const char* line : {"",
                             "{",
                             "7",
                             "<html>",
                             R"({"data":"u"})",
                             R"({"from":"","data":"u"})",
                             R"({"from":"a/b","data":"u"})",
                             R"({"from":7,"data":"u"})",
                             R"({"from":"Qm1"})",
                             R"({"from":"Qm1","data":""})",
                             R"({"from":"Qm1","data":7})",
                             R"({"from":"Qm1","data":"uA"})",    // Five bits over.
                             R"({"from":"Qm1","data":"uAB"})",   // Unused bits are not zero.
                             R"({"from":"Qm1","data":"uAA=="})", // Padded.
                             R"({"from":"Qm1","data":"uA+"})",
                             R"({"from":"Qm1","data":"u","seqno":1})"}) {
        const Result<PubsubMessage> message = decode_pubsub_line(line);
        ASSERT_FALSE(message.ok()) << line;
        EXPECT_EQ(message.error().code, Errc::malformed) << line;
    }
    EXPECT_EQ(decode_pubsub_line(R"({"from":"Qm1","data":"hello"})").error().code,
              Errc::unsupported);
}

TEST(PubsubLine, BoundsEachField) {
    PubsubMessage message{.from = std::string(limits::peer_id_text_bytes_max, 'Q'),
                          .data = Bytes(limits::pubsub_message_bytes_max),
                          .seqno = Bytes(limits::pubsub_seqno_bytes_max)};
    const std::string line = encode_pubsub_line(message);
    EXPECT_TRUE(decode_pubsub_line(line).ok());
    EXPECT_LT(line.size() + 4096, limits::pubsub_line_bytes_max); // Room for topics.
    const auto refusal = [](const PubsubMessage& beyond) {
        return decode_pubsub_line(encode_pubsub_line(beyond)).error().code;
    };
    PubsubMessage beyond = message;
    beyond.from += 'm';
    EXPECT_EQ(refusal(beyond), Errc::malformed);
    beyond = message;
    beyond.data.push_back(0);
    EXPECT_EQ(refusal(beyond), Errc::too_large);
    beyond = message;
    beyond.seqno.push_back(0);
    EXPECT_EQ(refusal(beyond), Errc::too_large);
    const std::string blanks(limits::pubsub_line_bytes_max + 1 - line.size(), ' ');
    EXPECT_TRUE(decode_pubsub_line(line + blanks.substr(1)).ok());
    EXPECT_EQ(decode_pubsub_line(line + blanks).error().code, Errc::too_large);
}

} // namespace
} // namespace ic::kubo
