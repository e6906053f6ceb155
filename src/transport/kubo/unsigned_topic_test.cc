#include "job/testing/samples.h"
#include "transport/kubo/unsigned_topic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace ic::transport {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string named = "12D3KooWNamed";

kubo::PubsubMessage message(std::string_view from, std::uint8_t number = 1) {
    return {.from = std::string(from),
            .data = job::print_unsigned_job(
                {.module = job::testing::sample_cid(number), .function = "handler"}),
            .seqno = {number}};
}

class UnsignedTopicTest : public ::testing::Test {
protected:
    std::unique_ptr<net::EventLoop> loop = net::EventLoop::open().take();
    std::vector<HeardUnsigned> heard;
    std::vector<std::string> notes;
    UnsignedTopic topic{*loop,
                        {.peers = {named},
                         .on_job = [this](HeardUnsigned one) { heard.push_back(std::move(one)); },
                         .note = {log::Level::info, [this](const log::Entry& one) {
                                      notes.emplace_back(one.message);
                                  }}}};

    void settle() { loop->run_for(5ms); }
};

TEST_F(UnsignedTopicTest, TakesJobsOfPeersThatAreNamed) {
    topic.hear(message(named, 7));
    EXPECT_TRUE(heard.empty()) << "on the loop's thread";
    settle();
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_EQ(heard[0].job.module, job::testing::sample_cid(7));
    EXPECT_EQ(heard[0].origin, (job::UnsignedOrigin{.peer = named, .seqno = {7}}));
    EXPECT_TRUE(notes.empty());
}

TEST_F(UnsignedTopicTest, RefusesOthersAndSaysSoOnceOfEach) {
    for (int turn = 0; turn < 3; ++turn) {
        topic.hear(message("12D3KooWStranger"));
        topic.hear(message("12D3KooWNamed2"));
    }
    settle();
    EXPECT_TRUE(heard.empty());
    EXPECT_EQ(topic.counters().refused, 6U);
    EXPECT_THAT(notes,
                ElementsAre(AllOf(HasSubstr("12D3KooWStranger are refused"),
                                  HasSubstr("policy.unsigned_peers")),
                            HasSubstr("12D3KooWNamed2 are refused")));
}

TEST_F(UnsignedTopicTest, NotesNoMorePeersThanItRemembers) {
    for (std::size_t n = 0; n < limits::unsigned_refusals_noted_max + 2; ++n) {
        topic.hear(message("peer" + std::to_string(n)));
    }
    settle();
    EXPECT_EQ(notes.size(), limits::unsigned_refusals_noted_max);
    EXPECT_EQ(topic.counters().refused, limits::unsigned_refusals_noted_max + 2);
}

TEST_F(UnsignedTopicTest, SaysWhatIsWrongWithAJobOfANamedPeer) {
    kubo::PubsubMessage bad = message(named);
    bad.data = copy_of(bytes_of(R"({"Version":"1.0","Type":"docker"})"));
    topic.hear(bad);
    settle();
    EXPECT_TRUE(heard.empty());
    EXPECT_EQ(topic.counters().bad, 1U);
    EXPECT_THAT(notes, ElementsAre(AllOf(HasSubstr(named), HasSubstr("Type is not 'wasm'"))));
}

TEST_F(UnsignedTopicTest, TakesNoMoreOfOnePeerThanItsShare) {
    const std::uint32_t share = limits::unsigned_jobs_per_peer.at_once;
    for (std::uint32_t n = 0; n < share * 5; ++n) {
        topic.hear(message(named));
        if (n % 50 == 0) {
            settle();
        }
    }
    settle();
    EXPECT_GE(heard.size(), share);
    EXPECT_GT(topic.counters().too_many, 0U);
    EXPECT_EQ(topic.counters().heard + topic.counters().too_many, share * 5);
}

TEST_F(UnsignedTopicTest, HearsOnAnotherThread) {
    std::thread listener([this] {
        for (std::uint8_t n = 1; n <= 50; ++n) {
            topic.hear(message(named, n));
        }
    });
    const Instant end = now_since_boot() + 30s;
    while (heard.size() < 50 && now_since_boot() < end) {
        settle();
    }
    listener.join();
    EXPECT_EQ(heard.size(), 50U);
}

} // namespace
} // namespace ic::transport
