#include "base/unique_fd.h"
#include "kubo/publisher.h"
#include "kubo/pubsub.h"
#include "net/testing/http_test_server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <algorithm>
#include <filesystem>

namespace ic::kubo {
namespace {

using namespace std::chrono_literals;
using net::testing::answer_of;
using net::testing::HttpTestServer;
using net::testing::Peer;
using net::testing::SeenRequest;
using ::testing::ElementsAre;

const std::string ignored =
    answer_of(500, "", R"({"Message":"validation ignored","Code":0,"Type":"error"})");
const std::string taken = answer_of(200, "", "");

/// Answers `id` and, with what `answer_` says, pubsub/pub.
class PublisherTest : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = ::testing::TempDir() + "ic-publisher-XXXXXX";
        ASSERT_NE(::mkdtemp(folder_.data()), nullptr);
        options_ = {.lock_folder = folder_ + "/locks",
                    .retry = {.attempts_max = 0, .backoff_first = 2ms, .backoff_max = 10ms}};
        RpcOptions rpc;
        rpc.address = server_.url("");
        rpc.breaker.failures_max = 1'000;
        rpc_ = std::move(Rpc::open(rpc)).take();
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string serve(const SeenRequest& request) {
        if (request.line().starts_with("POST /api/v0/id")) {
            return answer_of(200, "", R"({"ID":"12D3Peer"})");
        }
        const std::lock_guard lock(mutex_);
        const std::size_t begin = request.body.find("\r\n\r\n") + 4;
        const std::string data =
            request.body.substr(begin, request.body.find("\r\n--", begin) - begin);
        std::string answer = answer_ ? answer_(data) : taken;
        if (answer == taken) {
            taken_.push_back(data);
        }
        return answer;
    }

    void answers(std::function<std::string(const std::string&)> answer) {
        const std::lock_guard lock(mutex_);
        answer_ = std::move(answer);
    }

    std::vector<std::string> seen() {
        const std::lock_guard lock(mutex_);
        return taken_;
    }

    std::string folder_;
    PublisherOptions options_;
    std::mutex mutex_;
    std::function<std::string(const std::string&)> answer_;
    std::vector<std::string> taken_;
    HttpTestServer server_{[this](const SeenRequest& request) { return serve(request); }};
    std::unique_ptr<Rpc> rpc_;
};

Bytes text(std::string_view words) { return copy_of(bytes_of(words)); }

TEST_F(PublisherTest, SendsInOrderAndCounts) {
    Publisher publisher(*rpc_, options_);
    for (const char* word : {"one", "two", "three"}) {
        ASSERT_TRUE(publisher.publish("t", text(word)).ok());
    }
    EXPECT_TRUE(publisher.drain(10s));
    EXPECT_THAT(seen(), ElementsAre("one", "two", "three"));
    const Publisher::Counters counters = publisher.counters();
    EXPECT_EQ(counters.published, 3U);
    EXPECT_EQ(counters.retried + counters.dropped + counters.failed + counters.unserialised, 0U);
    EXPECT_TRUE(std::filesystem::exists(options_.lock_folder + "/pubsub-12D3Peer.lock"));
}

TEST_F(PublisherTest, TriesAgainWhatKuboIgnoredOrFailed) {
    int left = 5;
    answers([&](const std::string& data) {
        const bool fails = data == "two" && left-- > 0;
        return !fails ? taken : left % 2 == 0 ? ignored : answer_of(500, "", "<html>");
    });
    Publisher publisher(*rpc_, options_);
    for (const char* word : {"one", "two", "three"}) {
        ASSERT_TRUE(publisher.publish("t", text(word)).ok());
    }
    EXPECT_TRUE(publisher.drain(10s));
    EXPECT_THAT(seen(), ElementsAre("one", "two", "three"));
    EXPECT_EQ(publisher.counters().retried, 5U);
    EXPECT_EQ(publisher.counters().failed, 0U);
    EXPECT_EQ(publisher.last_failure(), std::nullopt);
}

TEST_F(PublisherTest, GivesUpWhatIsRefusedAndGoesOn) {
    answers([](const std::string& data) {
        return data == "one" ? answer_of(403, "", "denied") : taken;
    });
    Publisher publisher(*rpc_, options_);
    ASSERT_TRUE(publisher.publish("t", text("one")).ok());
    EXPECT_TRUE(publisher.drain(10s));
    EXPECT_EQ(publisher.last_failure()->code, Errc::refused);
    ASSERT_TRUE(publisher.publish("t", text("two")).ok());
    EXPECT_TRUE(publisher.drain(10s));
    EXPECT_THAT(seen(), ElementsAre("two"));
    EXPECT_EQ(publisher.counters().failed, 1U);
    EXPECT_EQ(publisher.counters().retried, 0U);
}

TEST_F(PublisherTest, GivesUpWhatIsTooOldToBeNews) {
    answers([](const std::string& data) { return data == "old" ? ignored : taken; });
    options_.age_max = 100ms;
    Publisher publisher(*rpc_, options_);
    ASSERT_TRUE(publisher.publish("t", text("old")).ok());
    EXPECT_TRUE(publisher.drain(10s));
    EXPECT_EQ(publisher.counters().failed, 1U);
    EXPECT_GE(publisher.counters().retried, 1U);
    EXPECT_TRUE(is_validation_ignored(*publisher.last_failure()));
}

/// Holds the lock that publishers meet at, as another process would.
UniqueFd hold_lock(const std::string& folder) {
    std::filesystem::create_directories(folder);
    UniqueFd file{
        ::open((folder + "/pubsub-12D3Peer.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    EXPECT_EQ(::flock(file.get(), LOCK_EX), 0);
    return file;
}

TEST_F(PublisherTest, DropsTheOldestWhenThereIsNoRoom) {
    UniqueFd lock = hold_lock(options_.lock_folder);
    options_.items_max = 3;
    options_.bytes_max = 10;
    Publisher publisher(*rpc_, options_);
    ASSERT_TRUE(publisher.publish("t", text("sent")).ok());
    while (server_.requests().empty()) { // Until it has left the queue.
        std::this_thread::sleep_for(1ms);
    }
    for (const char* word : {"a", "b", "c", "d"}) { // One too many.
        ASSERT_TRUE(publisher.publish("t", text(word)).ok());
    }
    EXPECT_EQ(publisher.counters().dropped, 1U);
    ASSERT_TRUE(publisher.publish("t", text("123456789")).ok()); // Nine bytes: one other fits.
    EXPECT_EQ(publisher.counters().dropped, 3U);
    ASSERT_TRUE(publisher.publish("t", text("longer than all there is")).ok());
    EXPECT_EQ(publisher.counters().dropped, 5U);
    lock.reset();
    EXPECT_TRUE(publisher.drain(10s));
    EXPECT_THAT(seen(), ElementsAre("sent", "longer than all there is"));
}

TEST_F(PublisherTest, WaitsForOthersButNotForEver) {
    const UniqueFd lock = hold_lock(options_.lock_folder);
    Publisher publisher(*rpc_, options_);
    const Instant begin = now_since_boot();
    ASSERT_TRUE(publisher.publish("t", text("one")).ok());
    EXPECT_TRUE(publisher.drain(10s));
    EXPECT_GE(now_since_boot() - begin, limits::publish_lock_wait_max);
    EXPECT_THAT(seen(), ElementsAre("one"));
    EXPECT_EQ(publisher.counters().unserialised, 1U);
}

TEST_F(PublisherTest, LeavesTheLockToOthersHoweverMuchItHasToSay) {
    constexpr int rounds = 10;
    constexpr std::uint64_t few = 4;
    PublishLock busy = std::move(PublishLock::open(folder_, "12D3Peer")).take();
    PublishLock other = std::move(PublishLock::open(folder_, "12D3Peer")).take();
    std::atomic<std::uint64_t> turns{0};
    std::atomic<bool> ending{false};
    std::thread holder([&] {
        while (!ending && busy.acquire(60s, *rpc_, {})) {
            ++turns;
            turns.notify_all();
            std::this_thread::sleep_for(2ms);
            busy.release();
        }
    });
    int prompt = 0;
    for (int round = 0; round < rounds; ++round) {
        const std::uint64_t since = turns;
        turns.wait(since); // It has it again.
        if (other.acquire(1s, *rpc_, {})) {
            prompt += turns - since <= few ? 1 : 0;
            other.release();
        }
    }
    ending = true;
    holder.join();
    EXPECT_GT(prompt, rounds / 2) << "each may meet a moment at which the machine stands still";
}

TEST_F(PublisherTest, TakesTurnsWithOthers) {
    std::atomic<int> at_once{0};
    std::atomic<int> at_once_max{0};
    HttpTestServer kubo([&](const SeenRequest& request, Peer& peer) {
        const bool publishes = request.line().starts_with("POST /api/v0/pubsub/pub");
        if (publishes) {
            at_once_max = std::max(at_once_max.load(), ++at_once);
            peer.wait(1ms);
            --at_once;
        }
        peer.send(serve(request));
    });
    const auto publish = [&] {
        RpcOptions options;
        options.address = kubo.url("");
        const auto rpc = std::move(Rpc::open(options)).take();
        Publisher publisher(*rpc, options_);
        for (int message = 0; message < 20; ++message) {
            ASSERT_TRUE(publisher.publish("t", text("x")).ok());
        }
        EXPECT_TRUE(publisher.drain(20s));
        EXPECT_EQ(publisher.counters().unserialised, 0U);
    };
    std::thread other(publish);
    publish();
    other.join();
    EXPECT_EQ(seen().size(), 40U);
    EXPECT_EQ(at_once_max, 1);
}

TEST_F(PublisherTest, RefusesWhatPubsubWouldNotDeliver) {
    Publisher publisher(*rpc_, options_);
    EXPECT_EQ(publisher.publish("t", Bytes(limits::pubsub_data_bytes_max + 1)).error().code,
              Errc::too_large);
    EXPECT_TRUE(publisher.publish("t", Bytes(limits::pubsub_data_bytes_max)).ok());
    EXPECT_TRUE(publisher.drain(10s));
    EXPECT_EQ(publisher.counters().published, 1U);
}

TEST_F(PublisherTest, EndsPromptlyInTheMiddleOfACall) {
    HttpTestServer silent([](const SeenRequest&, Peer& peer) { peer.wait(60s); });
    RpcOptions options;
    options.address = silent.url("");
    const auto rpc = std::move(Rpc::open(options)).take();
    auto publisher = std::make_unique<Publisher>(*rpc, options_);
    ASSERT_TRUE(publisher->publish("t", text("one")).ok());
    while (silent.requests().empty()) {
        std::this_thread::sleep_for(1ms);
    }
    const Instant begin = now_since_boot();
    publisher.reset();
    EXPECT_LT(now_since_boot() - begin, 20s) << "the other side waits 60 s";
}

} // namespace
} // namespace ic::kubo
