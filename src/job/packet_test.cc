#include "job/envelope.h"
#include "job/packet.h"
#include "job/testing/samples.h"
#include "job/testing/vectors.h"

#include <gtest/gtest.h>

#include <functional>

namespace ic::job {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

constexpr std::string_view tag = "ipfs-compute/packet@1";

Packet sample() {
    return {.key = testing::sample_key(2).public_key(),
            .from = testing::sample_instance(7),
            .sequence = 258,
            .to = testing::sample_instance(9),
            .at = {"http://192.0.2.7:8586",
                   "/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"},
            .providers = {"/ip4/192.0.2.7/tcp/4001/p2p/"
                          "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"},
            .messages = {encode(OpenJobsQuery{.asker = testing::sample_instance(7)})}};
}

Bytes signed_by(std::uint8_t seed, const Packet& packet) {
    return envelope::seal(signed_part(packet), testing::sample_key(seed));
}

std::optional<Errc> code_after(const std::function<void(Map&)>& change) {
    const Bytes bytes = signed_by(2, sample());
    const envelope::Opened opened = envelope::open(bytes, tag).take();
    Map payload = *opened.payload().as<Map>();
    change(payload);
    const Result<Packet> read = read_packet(
        envelope::seal(envelope::signed_part(tag, std::move(payload)), testing::sample_key(2)));
    return read ? std::nullopt : std::optional{read.error().code};
}

void set(Map& map, std::string_view key, std::optional<Node> value) {
    std::erase_if(map, [&key](const auto& entry) { return entry.first == key; });
    if (value) {
        map.emplace_back(key, *std::move(value));
    }
}

TEST(Packet, ReadGivesBackWhatWasSigned) {
    const Bytes bytes = sign_packet(sample(), testing::sample_key(2)).take();
    const Result<Packet> read = read_packet(bytes);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, sample());
    EXPECT_TRUE(verify_packet(bytes, *read));
}

TEST(Packet, MayBeForAllAndSayNothing) {
    const Packet packet{.key = testing::sample_key(2).public_key(),
                        .from = testing::sample_instance(1),
                        .sequence = UINT64_MAX,
                        .to = {},
                        .at = {},
                        .providers = {},
                        .messages = {}};
    const Bytes bytes = sign_packet(packet, testing::sample_key(2)).take();
    EXPECT_EQ(*read_packet(bytes), packet);
}

TEST(Packet, SignsToTheGoldenBytes) {
    EXPECT_TRUE(testing::matches_vector("packet",
                                        sign_packet(sample(), testing::sample_key(2)).take(),
                                        "src/job/packet_test.cc through job::sign_packet; "
                                        "docs/formats/packet.md"));
    EXPECT_TRUE(testing::shows_bytes(testing::read_text("docs/formats/packet.md"),
                                     sign_packet(sample(), testing::sample_key(2)).take()));
}

TEST(Packet, IsRefusedUnderAnotherKeysSignature) {
    const Bytes bytes = signed_by(3, sample());
    const Result<Packet> read = read_packet(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(verify_packet(bytes, *read).error().code, Errc::refused);
}

TEST(Packet, IsRefusedWithAnyBitOfItChanged) {
    const Bytes bytes = signed_by(2, sample());
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        Bytes changed = bytes;
        changed[at] ^= 1U;
        const Result<Packet> read = read_packet(changed);
        EXPECT_FALSE(read && verify_packet(changed, *read)) << "byte " << at;
    }
}

TEST(Packet, IsRefusedCutShortAnywhere) {
    const Bytes bytes = signed_by(2, sample());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(read_packet(ByteView{bytes}.first(size))) << size;
    }
}

TEST(Packet, IgnoresFieldsOfLaterVersions) {
    EXPECT_EQ(code_after([](Map& payload) { set(payload, "later", Node{std::uint64_t{1}}); }),
              std::nullopt);
}

TEST(Packet, NeedsEachField) {
    for (const std::string_view key : {"at", "key", "seq", "from", "ipfs", "msgs"}) {
        EXPECT_EQ(code_after([key](Map& payload) { set(payload, key, std::nullopt); }),
                  Errc::malformed)
            << key;
        EXPECT_EQ(code_after([key](Map& payload) { set(payload, key, Node{false}); }),
                  Errc::malformed)
            << key;
    }
}

TEST(Packet, RefusesKeysAndInstancesOfOtherLengths) {
    for (const std::string_view key : {"key", "from", "to"}) {
        EXPECT_EQ(code_after([key](Map& payload) { set(payload, key, Node{Bytes(17)}); }),
                  Errc::malformed)
            << key;
    }
}

TEST(Packet, RefusesOneAddressTooManyOrTooLongAndWhatIsNone) {
    for (const std::string_view key : {"at", "ipfs"}) {
        const auto with = [key](const std::vector<std::string>& all) {
            return code_after([key, &all](Map& payload) {
                List list;
                for (const std::string& one : all) {
                    list.emplace_back(one);
                }
                set(payload, key, Node{std::move(list)});
            });
        };
        EXPECT_EQ(with(std::vector<std::string>(limits::packet_addresses_max, "a")), std::nullopt);
        EXPECT_EQ(with(std::vector<std::string>(limits::packet_addresses_max + 1, "a")),
                  Errc::too_large);
        EXPECT_EQ(with({std::string(limits::packet_address_bytes_max, 'a')}), std::nullopt);
        EXPECT_EQ(with({std::string(limits::packet_address_bytes_max + 1, 'a')}), Errc::malformed);
        EXPECT_EQ(with({""}), Errc::malformed);
        EXPECT_EQ(with({"http://a b"}), Errc::malformed);
        EXPECT_EQ(with({"http://a\n"}), Errc::malformed);
        EXPECT_EQ(with({"http://\xc3\xa4"}), Errc::malformed);
    }
}

TEST(Packet, RefusesOneMessageTooManyTooLongOrEmpty) {
    const auto with = [](std::size_t count, std::size_t bytes) {
        return code_after(
            [&](Map& payload) { set(payload, "msgs", Node{List(count, Node{Bytes(bytes, 1)})}); });
    };
    EXPECT_EQ(with(limits::packet_messages_max, 1), std::nullopt);
    EXPECT_EQ(with(limits::packet_messages_max + 1, 1), Errc::too_large);
    EXPECT_EQ(with(1, limits::message_bytes_max), std::nullopt);
    EXPECT_EQ(with(1, limits::message_bytes_max + 1), Errc::too_large);
    EXPECT_EQ(with(1, 0), Errc::malformed);
}

TEST(Packet, RefusesMoreBytesThanAPacketHas) {
    Packet packet = sample();
    packet.messages.assign(2, Bytes(limits::message_bytes_max, 1));
    EXPECT_EQ(sign_packet(packet, testing::sample_key(2)).error().code, Errc::too_large);
    EXPECT_EQ(read_packet(signed_by(2, packet)).error().code, Errc::too_large);
    packet.messages.assign(1, Bytes(limits::message_bytes_max, 1));
    const std::size_t with_one = signed_by(2, packet).size();
    // What is left for a second message: its head is of five bytes.
    packet.messages.emplace_back(limits::packet_bytes_max - with_one - 5, 1);
    const Bytes most = sign_packet(packet, testing::sample_key(2)).take();
    EXPECT_EQ(most.size(), limits::packet_bytes_max);
    EXPECT_EQ(*read_packet(most), packet);
    packet.messages.back().push_back(1);
    EXPECT_EQ(sign_packet(packet, testing::sample_key(2)).error().code, Errc::too_large);
}

TEST(SeenSequences, KnowsEachOnce) {
    SeenSequences seen;
    EXPECT_TRUE(seen.is_new(100));
    EXPECT_FALSE(seen.is_new(100));
    EXPECT_TRUE(seen.is_new(102));
    EXPECT_TRUE(seen.is_new(101));
    EXPECT_FALSE(seen.is_new(101));
    EXPECT_FALSE(seen.is_new(102));
    EXPECT_TRUE(seen.is_new(99));
}

TEST(SeenSequences, TakesWhatIsFarBehindForSeen) {
    SeenSequences seen;
    EXPECT_TRUE(seen.is_new(0));
    EXPECT_TRUE(seen.is_new(64));
    EXPECT_TRUE(seen.is_new(1));
    EXPECT_FALSE(seen.is_new(0));
    EXPECT_TRUE(seen.is_new(UINT64_MAX));
    EXPECT_FALSE(seen.is_new(64));
    EXPECT_TRUE(seen.is_new(UINT64_MAX - 63));
    EXPECT_FALSE(seen.is_new(UINT64_MAX - 64));
}

} // namespace
} // namespace ic::job
