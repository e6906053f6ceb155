#include "job/testing/samples.h"
#include "transport/kubo/topic.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>

namespace ic::transport {
namespace {

using namespace std::chrono_literals;
using job::testing::sample_instance;
using job::testing::sample_key;

job::Message query(std::uint8_t n) { return job::OpenJobsQuery{.asker = sample_instance(n)}; }

kubo::PubsubMessage from_kubo(Bytes data, const std::string& sender = "12D3KooWSender") {
    return {.from = sender, .data = std::move(data), .seqno = {1}};
}

class TopicTest : public ::testing::Test {
protected:
    std::unique_ptr<net::EventLoop> loop = net::EventLoop::open().take();
    PrivateKey key = sample_key(1);
    PrivateKey other_key = sample_key(2);
    std::vector<Bytes> published;
    std::vector<Heard> heard;
    std::vector<Heard> strangers;
    Topic topic{*loop,
                {.self = sample_instance(1),
                 .key = &key,
                 .is_trusted =
                     [](const PublicKey& who) {
                         return who == sample_key(2).public_key() ||
                                who == sample_key(1).public_key();
                     },
                 .publish = [this](Bytes packet) { published.push_back(std::move(packet)); },
                 .on_heard = [this](Heard one) { heard.push_back(std::move(one)); },
                 .on_stranger = [this](Heard one) { strangers.push_back(std::move(one)); },
                 .speakers_max = 3}};

    job::Packet packet(std::uint64_t sequence) const {
        return {.key = other_key.public_key(),
                .from = sample_instance(2),
                .sequence = sequence,
                .to = {},
                .at = {"http://192.0.2.7:8586"},
                .providers = {"/ip4/192.0.2.7/tcp/4001/p2p/12D3KooWother"},
                .messages = {job::encode(query(2))}};
    }

    void hear(const job::Packet& packet, const PrivateKey& by) {
        topic.hear(from_kubo(job::sign_packet(packet, by).take()));
        loop->run_for(2ms);
    }
};

TEST_F(TopicTest, SaysTheFirstAtOnceAndTheRestTogether) {
    topic.reach({.at = {"http://192.0.2.1:1"}, .providers = {"/ip4/192.0.2.1"}});
    topic.announce(query(1));
    loop->run_for(2ms);
    ASSERT_EQ(published.size(), 1U);
    for (std::uint8_t n = 2; n < 10; ++n) {
        topic.announce(query(n));
    }
    loop->run_for(30ms);
    ASSERT_EQ(published.size(), 2U);
    const job::Packet first = job::read_packet(published[0]).take();
    const job::Packet second = job::read_packet(published[1]).take();
    EXPECT_TRUE(job::verify_packet(published[1], second));
    EXPECT_EQ(first.messages.size(), 1U);
    EXPECT_EQ(second.messages.size(), 8U);
    EXPECT_LT(first.sequence, second.sequence);
    EXPECT_EQ(second.at, std::vector<std::string>{"http://192.0.2.1:1"});
    EXPECT_EQ(second.providers, std::vector<std::string>{"/ip4/192.0.2.1"});
    EXPECT_EQ(second.from, sample_instance(1));
}

TEST_F(TopicTest, KeepsPacketsWithinTheirBounds) {
    for (std::size_t n = 0; n < job::limits::packet_messages_max + 1; ++n) {
        topic.announce(query(1));
    }
    for (int n = 0; n < 8; ++n) {
        topic.announce(job::Submit{.invocation = Bytes(65'536, 1)});
    }
    loop->run_for(30ms);
    std::size_t messages = 0;
    for (const Bytes& bytes : published) {
        const Result<job::Packet> packet = job::read_packet(bytes);
        ASSERT_TRUE(packet);
        messages += packet->messages.size();
    }
    EXPECT_EQ(messages, job::limits::packet_messages_max + 1 + 8);
    EXPECT_EQ(topic.counters().said, messages);
}

TEST_F(TopicTest, GivesEachAddresseeItsOwnPacket) {
    topic.send(sample_instance(7), query(1));
    topic.send(sample_instance(8), query(2));
    topic.announce(query(3));
    loop->run_for(30ms);
    ASSERT_EQ(published.size(), 3U);
    EXPECT_EQ(job::read_packet(published[0])->to, sample_instance(7));
    EXPECT_EQ(job::read_packet(published[1])->to, sample_instance(8));
    EXPECT_EQ(job::read_packet(published[2])->to, std::nullopt);
}

TEST_F(TopicTest, DropsWhatThereIsNoRoomFor) {
    const job::Message large = job::Submit{.invocation = Bytes(65'536, 1)};
    const std::size_t fit = limits::said_bytes_max / job::encode(large).size();
    for (std::size_t n = 0; n < fit + 2; ++n) {
        topic.announce(large);
    }
    EXPECT_EQ(topic.counters().not_said, 2U);
    loop->run_for(50ms);
    EXPECT_EQ(topic.counters().said, fit);
}

TEST_F(TopicTest, ShowsItselfWithNothingToSay) {
    topic.show();
    ASSERT_EQ(published.size(), 1U);
    EXPECT_TRUE(job::read_packet(published[0])->messages.empty());
}

TEST_F(TopicTest, HearsWhoIsTrusted) {
    hear(packet(1), other_key);
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_EQ(heard[0].from,
              (Contact{.instance = sample_instance(2),
                       .key = other_key.public_key(),
                       .at = {"http://192.0.2.7:8586"}}));
    EXPECT_EQ(heard[0].providers, packet(1).providers);
    ASSERT_EQ(heard[0].messages.size(), 1U);
    EXPECT_EQ(heard[0].messages[0], query(2));
    EXPECT_FALSE(heard[0].for_us_alone);
}

TEST_F(TopicTest, TellsOfAFewStrangersWhoseSignaturesAreGood) {
    job::Packet stranger = packet(1);
    stranger.key = sample_key(3).public_key();
    hear(stranger, sample_key(3));
    EXPECT_TRUE(heard.empty());
    ASSERT_EQ(strangers.size(), 1U);
    EXPECT_EQ(strangers[0].from.key, stranger.key);
    EXPECT_EQ(strangers[0].messages.size(), 1U);

    Bytes forged = job::sign_packet(stranger, sample_key(3)).take();
    forged[20] ^= 1U;
    topic.hear(from_kubo(forged));
    stranger.to = sample_instance(1);
    hear(stranger, sample_key(3));
    stranger.to.reset();
    stranger.messages.clear();
    hear(stranger, sample_key(3));
    EXPECT_EQ(strangers.size(), 1U) << "forged, for us alone, or saying nothing";

    for (std::uint64_t sequence = 2; sequence < 500; ++sequence) {
        stranger.sequence = sequence;
        stranger.messages = {job::encode(query(3))};
        topic.hear(from_kubo(job::sign_packet(stranger, sample_key(3)).take()));
    }
    loop->run_for(20ms);
    EXPECT_LE(strangers.size(), 400U) << "a flood is not listened to";
    EXPECT_EQ(topic.counters().not_trusted, 502U);
}

TEST_F(TopicTest, HearsNeitherStrangersNorItselfNorWhatIsForOthers) {
    job::Packet stranger = packet(1);
    stranger.key = sample_key(3).public_key();
    hear(stranger, sample_key(3));
    job::Packet own = packet(1);
    own.key = key.public_key();
    own.from = sample_instance(1);
    hear(own, key);
    job::Packet elsewhere = packet(1);
    elsewhere.to = sample_instance(9);
    hear(elsewhere, other_key);
    EXPECT_TRUE(heard.empty());
    EXPECT_EQ(topic.counters().not_trusted, 1U);
    EXPECT_EQ(topic.counters().own, 1U);
    EXPECT_EQ(topic.counters().for_others, 1U);
    elsewhere.to = sample_instance(1);
    hear(elsewhere, other_key);
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_TRUE(heard[0].for_us_alone);
}

TEST_F(TopicTest, HearsEachPacketOnceWhoeverRepeatsIt) {
    hear(packet(5), other_key);
    hear(packet(5), other_key);
    topic.hear(from_kubo(job::sign_packet(packet(5), other_key).take(), "12D3KooWReplayer"));
    hear(packet(4), other_key);
    EXPECT_EQ(heard.size(), 2U);
    EXPECT_EQ(topic.counters().seen_before, 2U);
}

TEST_F(TopicTest, IsNotKeptFromAPacketByAForgedOne) {
    Bytes forged = job::sign_packet(packet(7), other_key).take();
    forged[10] ^= 1U; // In the signature.
    topic.hear(from_kubo(forged));
    topic.hear(from_kubo(Bytes(100, 7)));
    topic.hear(from_kubo({}));
    EXPECT_EQ(topic.counters().bad, 3U);
    hear(packet(7), other_key);
    EXPECT_EQ(heard.size(), 1U);
}

TEST_F(TopicTest, LeavesOutMessagesThatItCannotRead) {
    job::Packet mixed = packet(1);
    mixed.messages = {Bytes{1, 2, 3}, job::encode(query(2))};
    hear(mixed, other_key);
    ASSERT_EQ(heard.size(), 1U);
    ASSERT_EQ(heard[0].messages.size(), 1U);
    EXPECT_EQ(heard[0].messages[0], query(2));
}

TEST_F(TopicTest, ChecksNoMoreOfOneSenderThanItsShare) {
    Bytes forged = job::sign_packet(packet(7), other_key).take();
    forged[10] ^= 1U;
    constexpr std::uint32_t sent = limits::packets_per_sender.at_once * 2;
    const Instant begun = now_since_boot();
    for (std::uint32_t n = 0; n < sent; ++n) {
        topic.hear(from_kubo(forged, "12D3KooWFlood"));
    }
    // On a slow machine the share grows while they come.
    const std::chrono::duration<double> took = now_since_boot() - begun;
    EXPECT_LE(static_cast<double>(sent - topic.counters().too_many),
              static_cast<double>(limits::packets_per_sender.at_once) +
                  took.count() * limits::packets_per_sender.per_second + 1);
    hear(packet(8), other_key); // Of another sender.
    EXPECT_EQ(heard.size(), 1U);
}

TEST_F(TopicTest, ForgetsTheSpeakerHeardLongestAgo) {
    const auto hear_of = [this](std::uint8_t instance) {
        job::Packet one = packet(1);
        one.from = sample_instance(instance);
        hear(one, other_key);
    };
    for (const std::uint8_t instance : std::array<std::uint8_t, 5>{10, 11, 12, 10, 13}) {
        hear_of(instance); // Three are known at once: 13 takes the place of 11.
    }
    EXPECT_EQ(topic.counters().seen_before, 1U);
    hear_of(10);
    hear_of(12);
    EXPECT_EQ(topic.counters().seen_before, 3U);
    hear_of(11);
    EXPECT_EQ(topic.counters().seen_before, 3U);
}

TEST_F(TopicTest, HearsOnAnotherThread) {
    std::thread listener([this] {
        for (std::uint64_t n = 1; n <= 100; ++n) {
            topic.hear(from_kubo(job::sign_packet(packet(n), other_key).take()));
        }
    });
    const Instant end = now_since_boot() + 10s;
    while (heard.size() < 100 && now_since_boot() < end) {
        loop->run_for(5ms);
    }
    listener.join();
    EXPECT_EQ(heard.size(), 100U);
}

} // namespace
} // namespace ic::transport
