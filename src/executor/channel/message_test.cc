#include "executor/channel/message.h"
#include "executor/channel/testing/messages.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace ic::executor::channel {
namespace {

Bytes encoded(const Message& message) {
    Bytes bytes;
    EXPECT_TRUE(encode(message, bytes));
    return bytes;
}

TEST(ChannelMessage, EveryKindDecodesToWhatWasEncoded) {
    const std::vector<Message> all = testing::one_of_each();
    ASSERT_EQ(all.size(), std::variant_size_v<Message>);
    for (std::size_t index = 0; index < all.size(); ++index) {
        ASSERT_EQ(all[index].index(), index);
        const Result<Message> again = decode(encoded(all[index]));
        ASSERT_TRUE(again) << "kind " << index + 1 << ": " << again.error().message;
        EXPECT_EQ(*again, all[index]) << "kind " << index + 1;
    }
}

// docs/formats/channel.md, "Bytes of one message of each kind": the numbers never change.
TEST(ChannelMessage, EncodeGivesTheBytesOfTheFormatPage) {
    const std::vector<Message> all = testing::one_of_each();
    const auto hex = [&all](std::size_t kind) { return to_hex(encoded(all[kind - 1])); };
    EXPECT_EQ(hex(1), "010101000000011f");
    EXPECT_EQ(hex(2), "01020200000000000000");
    EXPECT_EQ(hex(9), "01090c0000000d0000000e00000001");
    EXPECT_EQ(hex(12), "010c120000001300000014000000");
    EXPECT_EQ(hex(14), "010e0700000061206c696e650a");
    EXPECT_EQ(hex(15), "010f0203000000010203");
    EXPECT_EQ(hex(18), "01121700000000000000");
    EXPECT_EQ(hex(23),
              "011701000000040000006d6174682400000001551220120970d812836f19888625587a4606a5ad23cef3"
              "1c8684e601771552548fc6b9010000001800000000000000");
    EXPECT_EQ(hex(19), "01130d080000006e6f206d61676963");
}

TEST(ChannelMessage, DecodeRejectsEveryProperPrefixAndAByteTooMany) {
    for (const Message& message : testing::one_of_each()) {
        Bytes bytes = encoded(message);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            EXPECT_FALSE(decode(ByteView{bytes}.first(size)))
                << "kind " << message.index() + 1 << ", " << size << " bytes";
        }
        bytes.push_back(0);
        EXPECT_FALSE(decode(bytes)) << "kind " << message.index() + 1;
    }
}

TEST(ChannelMessage, DecodeRejectsAnotherVersionAndUnknownKinds) {
    EXPECT_EQ(decode(Bytes{2, 6, 0, 0, 0, 0}).error().code, Errc::unsupported);
    EXPECT_EQ(decode(Bytes{1, 0, 0, 0, 0, 0}).error().code, Errc::unsupported);
    const auto beyond = static_cast<std::uint8_t>(std::variant_size_v<Message> + 1);
    EXPECT_EQ(decode(Bytes{1, beyond, 0, 0, 0, 0}).error().code, Errc::unsupported);
    EXPECT_TRUE(decode(Bytes{1, 6, 0, 0, 0, 0}));
}

TEST(ChannelMessage, DecodeRejectsFlagsAndEnumeratorsThatDoNotExist) {
    EXPECT_FALSE(decode(Bytes{1, 1, 0, 0, 0, 0, 2})) << "a flag of 2";
    EXPECT_FALSE(decode(Bytes{1, 15, 0, 0, 0, 0, 0})) << "stream 0";
    EXPECT_FALSE(decode(Bytes{1, 15, 4, 0, 0, 0, 0})) << "stream 4";
    EXPECT_FALSE(decode(Bytes{1, 22, 2, 0, 0, 0, 0})) << "dump 2";
    EXPECT_FALSE(decode(Bytes{1, 19, 0, 0, 0, 0, 0})) << "error 0";
    EXPECT_FALSE(decode(Bytes{1, 19, 255, 0, 0, 0, 0})) << "error 255";
}

TEST(ChannelMessage, EncodeRefusesOneByteBeyondEachLimit) {
    const auto fits = [](const Message& message) {
        Bytes bytes;
        const Result<void> result = encode(message, bytes);
        EXPECT_TRUE(result.ok() || result.error().code == Errc::too_large);
        return result.ok();
    };
    EXPECT_TRUE(fits(Log{.lines = Bytes(limits::piece_bytes_max)}));
    EXPECT_FALSE(fits(Log{.lines = Bytes(limits::piece_bytes_max + 1)}));
    EXPECT_TRUE(fits(Output{.data = Bytes(limits::piece_bytes_max)}));
    EXPECT_FALSE(fits(Output{.data = Bytes(limits::piece_bytes_max + 1)}));
    EXPECT_TRUE(fits(Trace{.lines = Bytes(limits::piece_bytes_max)}));
    EXPECT_FALSE(fits(Trace{.lines = Bytes(limits::piece_bytes_max + 1)}));
    EXPECT_TRUE(fits(DumpPiece{.data = Bytes(limits::piece_bytes_max)}));
    EXPECT_FALSE(fits(DumpPiece{.data = Bytes(limits::piece_bytes_max + 1)}));
    EXPECT_TRUE(fits(Finished{.output = Bytes(limits::rest_bytes_max)}));
    EXPECT_FALSE(fits(Finished{.output = Bytes(limits::rest_bytes_max + 1)}));
    EXPECT_FALSE(fits(Finished{.errors = Bytes(limits::rest_bytes_max + 1)}));
    EXPECT_TRUE(fits(CompileFailed{.message = std::string(limits::text_bytes_max, 'x')}));
    EXPECT_FALSE(fits(CompileFailed{.message = std::string(limits::text_bytes_max + 1, 'x')}));
    Start start;
    start.task.spec.arguments.assign(2, std::string(limits::message_bytes_max / 2, 'x'));
    EXPECT_FALSE(fits(start)) << "the whole message";
}

TEST(ChannelMessage, DecodeRefusesOneByteBeyondEachLimit) {
    Bytes log{1, 14, 0, 0, 0, 0};
    const auto of_size = [&log](std::uint32_t size) {
        for (std::size_t index = 0; index < 4; ++index) {
            log[2 + index] = static_cast<std::uint8_t>(size >> (8 * index));
        }
        log.resize(6 + size);
        return decode(log).ok();
    };
    EXPECT_TRUE(of_size(limits::piece_bytes_max));
    EXPECT_FALSE(of_size(limits::piece_bytes_max + 1));
    EXPECT_EQ(decode(Bytes(limits::message_bytes_max + 1)).error().code, Errc::too_large);
}

TEST(ChannelMessage, DecodeReadsNoMoreListElementsThanAllowed) {
    Start start;
    start.task.spec.arguments.assign(limits::list_elements_max, "");
    EXPECT_TRUE(decode(encoded(start)));
    start.task.spec.arguments.assign(limits::list_elements_max + 1, "");
    EXPECT_FALSE(decode(encoded(start)));
}

} // namespace
} // namespace ic::executor::channel
