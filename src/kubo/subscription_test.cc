#include "kubo/subscription.h"
#include "net/testing/http_test_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <sstream>

namespace ic::kubo {
namespace {

using namespace std::chrono_literals;
using net::testing::answer_of;
using net::testing::HttpTestServer;
using net::testing::Peer;
using net::testing::SeenRequest;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string chunk(const std::string& text) {
    std::ostringstream out;
    out << std::hex << text.size() << "\r\n" << text << "\r\n";
    return out.str();
}

std::string line_of(std::string_view data) {
    return encode_pubsub_line({.from = "QmSender", .data = copy_of(bytes_of(data)), .seqno = {1}}) +
           "\n";
}

/// A topic listened to, and what came of it.
class SubscriptionTest : public ::testing::Test {
protected:
    void listen(const std::string& address) {
        RpcOptions options;
        options.address = address;
        options.connect_time_max = 500ms;
        options.breaker.failures_max = 1'000;
        options.shared_breaker = breaker_;
        options.on_attempt = [this](const Attempt& attempt) {
            not_asked_ += attempt.end == AttemptEnd::not_asked ? 1 : 0;
        };
        rpc_ = std::move(Rpc::open(options)).take();
        subscription_ = std::make_unique<Subscription>(
            *rpc_,
            SubscriptionOptions{
                .topic = "t",
                .on_message =
                    [this](const PubsubMessage& message) {
                        happened("message " + std::string(text_of(message.data)));
                    },
                .on_state =
                    [this](const SubscriptionState& state) {
                        happened(state.is_up() ? std::string("up")
                                               : "down " + std::string(name(state.down->code)) +
                                                     " " + state.down->message);
                    },
                .retry = {.attempts_max = 0, .backoff_first = 5ms, .backoff_max = 20ms},
                .probed_after = probed_after_,
                .renewed_after = renewed_after_});
    }

    void happened(std::string what) {
        const std::lock_guard lock(mutex_);
        events_.push_back(std::move(what));
        changed_.notify_all();
    }

    /// The next event; "nothing" if there is none in ten seconds.
    std::string next() {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, 10s, [this] { return !events_.empty(); })) {
            return "nothing";
        }
        std::string event = std::move(events_.front());
        events_.pop_front();
        return event;
    }

    std::chrono::milliseconds probed_after_{60'000};
    std::chrono::milliseconds renewed_after_{60'000};
    std::shared_ptr<SharedBreaker> breaker_{};
    std::atomic<int> not_asked_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> events_;
    std::unique_ptr<Rpc> rpc_;
    std::unique_ptr<Subscription> subscription_;
};

TEST_F(SubscriptionTest, GivesMessagesInOrderHoweverTheyAreCut) {
    const std::string lines = line_of("one") + line_of("two") + "\n" + line_of("three");
    HttpTestServer server([&](const SeenRequest&, Peer& peer) {
        peer.send(head);
        for (std::size_t at = 0; at < lines.size(); at += 7) {
            peer.send(chunk(lines.substr(at, 7)));
        }
        peer.wait(60s);
    });
    listen(server.url(""));
    EXPECT_EQ(next(), "up");
    EXPECT_EQ(next(), "message one");
    EXPECT_EQ(next(), "message two");
    EXPECT_EQ(next(), "message three");
    EXPECT_EQ(server.requests().at(0).line(), "POST /api/v0/pubsub/sub?arg=udA HTTP/1.1");
    EXPECT_EQ(subscription_->counters().messages, 3U);
    EXPECT_EQ(subscription_->counters().bad_lines, 0U);
}

TEST_F(SubscriptionTest, ComesBackWhenKuboDoes) {
    std::uint16_t port = 0;
    {
        HttpTestServer server([](const SeenRequest&, Peer& peer) {
            peer.send(head + chunk(line_of("before")));
            peer.wait(60s);
        });
        port = server.port();
        listen(server.url(""));
        EXPECT_EQ(next(), "up");
        EXPECT_EQ(next(), "message before");
    }
    EXPECT_THAT(next(), HasSubstr("down unavailable"));
    HttpTestServer server(
        [](const SeenRequest&, Peer& peer) {
            peer.send(head + chunk(line_of("after")));
            peer.wait(60s);
        },
        port);
    EXPECT_EQ(next(), "up");
    EXPECT_EQ(next(), "message after");
    EXPECT_EQ(subscription_->counters().connections, 2U);
}

TEST_F(SubscriptionTest, PassesOverBadLinesAndEndsAConnectionOfThem) {
    std::atomic<int> connections{0};
    HttpTestServer server([&](const SeenRequest&, Peer& peer) {
        std::string lines;
        const int bad = ++connections == 1 ? limits::bad_lines_max : limits::bad_lines_max - 1;
        for (int line = 0; line < bad; ++line) {
            lines += line % 2 == 0 ? R"({"from":"QmX","data":"plain"})"
                                     "\n"
                                   : "<html>\n";
        }
        peer.send(head + chunk(lines + line_of("good")));
        peer.wait(60s);
    });
    listen(server.url(""));
    EXPECT_EQ(next(), "up");
    EXPECT_THAT(next(), HasSubstr("down malformed"));
    EXPECT_EQ(next(), "up");
    EXPECT_EQ(next(), "message good");
    EXPECT_EQ(subscription_->counters().bad_lines, 2U * limits::bad_lines_max - 1);
}

TEST_F(SubscriptionTest, EndsAConnectionWhoseLineHasNoEnd) {
    std::atomic<int> connections{0};
    HttpTestServer server([&](const SeenRequest&, Peer& peer) {
        peer.send(head);
        if (++connections == 1) {
            while (peer.send(chunk(std::string(64U << 10U, 'x')))) {
            }
            return;
        }
        peer.send(chunk(line_of("good")));
        peer.wait(60s);
    });
    listen(server.url(""));
    EXPECT_EQ(next(), "up");
    EXPECT_THAT(next(), HasSubstr("down too-large"));
    EXPECT_EQ(next(), "up");
    EXPECT_EQ(next(), "message good");
}

TEST_F(SubscriptionTest, DropsHalfALine) {
    std::atomic<int> connections{0};
    HttpTestServer server([&](const SeenRequest&, Peer& peer) {
        const std::string line = line_of("whole");
        if (++connections == 1) {
            peer.send(head + chunk(line.substr(0, line.size() / 2)));
            return; // Closes the connection in the middle.
        }
        peer.send(head + chunk(line));
        peer.wait(60s);
    });
    listen(server.url(""));
    EXPECT_EQ(next(), "up");
    EXPECT_THAT(next(), HasSubstr("down unavailable"));
    EXPECT_EQ(next(), "up");
    EXPECT_EQ(next(), "message whole");
    EXPECT_EQ(subscription_->counters().bad_lines, 0U);
}

TEST_F(SubscriptionTest, SaysWhyItIsDownOnceForEachReason) {
    std::atomic<int> asked{0};
    HttpTestServer server([&](const SeenRequest&) {
        const int count = ++asked;
        return count < 4   ? answer_of(403, "", "Kubo RPC Access Denied")
               : count < 8 ? answer_of(500, "", R"({"Message":"pubsub feature not enabled"})")
                           : answer_of(500, "", "<html>");
    });
    listen(server.url(""));
    EXPECT_THAT(next(), HasSubstr("have /api/v0/pubsub/sub"));
    EXPECT_THAT(next(), HasSubstr("down unsupported"));
    EXPECT_THAT(next(), HasSubstr("down unavailable"));
    EXPECT_EQ(subscription_->counters().connections, 0U);
}

TEST_F(SubscriptionTest, SurvivesAnAnswerThatIsHtml) {
    HttpTestServer server([](const SeenRequest&) {
        return answer_of(200, "", "<html>\n<body>\nWelcome\n</body>\n</html>\n");
    });
    listen(server.url(""));
    EXPECT_EQ(next(), "up");
    EXPECT_THAT(next(), HasSubstr("down unavailable"));
    EXPECT_EQ(next(), "up");
}

TEST_F(SubscriptionTest, GoesDownWhenAQuietKuboNoLongerAnswers) {
    probed_after_ = 20ms;
    std::atomic<int> probes{0};
    HttpTestServer server([&](const SeenRequest& request, Peer& peer) {
        if (request.line().starts_with("POST /api/v0/version")) {
            // Refused is an answer; the third one breaks off, the fourth does not, then all do.
            const int probe = ++probes;
            peer.send(probe < 3 || probe == 4 ? answer_of(403, "", "denied") : std::string());
            return;
        }
        peer.send(head);
        peer.wait(60s);
    });
    listen(server.url(""));
    EXPECT_EQ(next(), "up");
    EXPECT_THAT(next(), AllOf(HasSubstr("down unavailable"), HasSubstr("Kubo is silent")));
    EXPECT_EQ(probes, 6);
    EXPECT_EQ(next(), "up");
}

TEST_F(SubscriptionTest, TakesNoProbeThatWasNotMadeForSilence) {
    probed_after_ = 20ms;
    breaker_ = std::make_shared<SharedBreaker>(BreakerPolicy{.failures_max = 1, .pause = 1h});
    HttpTestServer server([](const SeenRequest&, Peer& peer) {
        peer.send(head);
        peer.wait(60s);
    });
    listen(server.url(""));
    EXPECT_EQ(next(), "up");
    breaker_->failed(now_since_boot(), "too slow");
    while (not_asked_ <= 2 * limits::probes_failed_max) {
        std::this_thread::sleep_for(1ms);
    }
    const std::lock_guard lock(mutex_);
    EXPECT_TRUE(events_.empty());
}

TEST_F(SubscriptionTest, MakesNoNewsOfBeingMadeAnew) {
    renewed_after_ = 500ms;
    std::atomic<int> connections{0};
    HttpTestServer server([&](const SeenRequest&, Peer& peer) {
        peer.send(head + chunk(line_of(std::to_string(++connections))));
        peer.wait(60s);
    });
    listen(server.url(""));
    EXPECT_EQ(next(), "up");
    EXPECT_EQ(next(), "message 1");
    EXPECT_EQ(next(), "message 2");
}

void expect_prompt_end(std::unique_ptr<Subscription> subscription) {
    const Instant begin = now_since_boot();
    subscription.reset();
    EXPECT_LT(now_since_boot() - begin, 20s) << "the other side waits 60 s";
}

TEST_F(SubscriptionTest, EndsPromptlyWhateverItWaitsFor) {
    HttpTestServer silent([](const SeenRequest&, Peer& peer) { peer.wait(60s); });
    listen(silent.url(""));
    std::this_thread::sleep_for(20ms);
    expect_prompt_end(std::move(subscription_));

    HttpTestServer quiet([](const SeenRequest&, Peer& peer) {
        peer.send(head);
        peer.wait(60s);
    });
    listen(quiet.url(""));
    EXPECT_EQ(next(), "up");
    expect_prompt_end(std::move(subscription_));

    listen("http://127.0.0.1:1"); // Nobody; it waits for its next attempt.
    EXPECT_THAT(next(), HasSubstr("down unavailable"));
    expect_prompt_end(std::move(subscription_));
}

} // namespace
} // namespace ic::kubo
