#include "net/testing/http_test_server.h"
#include "wiring/kubo_dialler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ic::wiring {
namespace {

using namespace std::chrono_literals;
using net::testing::answer_of;
using net::testing::HttpTestServer;
using net::testing::SeenRequest;

std::unique_ptr<kubo::Rpc> client_of(const HttpTestServer& server) {
    kubo::RpcOptions options;
    options.address = server.url("");
    return std::move(kubo::Rpc::open(options)).take();
}

/// A Kubo that reaches everybody but those whose address has "dead" in it.
class KuboDiallerTest : public ::testing::Test {
protected:
    std::size_t dials(const std::string& peer) {
        const std::vector<SeenRequest> requests = server_.requests();
        return static_cast<std::size_t>(
            std::ranges::count_if(requests, [&](const SeenRequest& request) {
                return request.line().find("swarm/connect") != std::string::npos &&
                       request.line().find("p2p%2F" + peer) != std::string::npos;
            }));
    }

    /// Within half a minute.
    bool is_dialled(const std::string& peer, std::size_t times) {
        const Instant until = now_since_boot() + 30s;
        while (dials(peer) < times && now_since_boot() < until) {
            loop_->run_for(5ms);
        }
        return dials(peer) >= times;
    }

    HttpTestServer server_{[](const SeenRequest& request) {
        return request.line().find("dead") == std::string::npos
                   ? answer_of(200, "", R"({"Strings":["connect success"]})")
                   : answer_of(500, "", R"({"Message":"no route","Code":0,"Type":"error"})");
    }};
    const std::unique_ptr<kubo::Rpc> rpc_ = client_of(server_);
    std::unique_ptr<net::EventLoop> loop_ = net::EventLoop::open().take();
    KuboDialler dialler_{
        *loop_, *rpc_, {.redial = {.connected = 3'600s, .first = 10ms, .longest = 20ms}}};
};

TEST_F(KuboDiallerTest, DialsEachAndThoseAgainWhoAreNotReached) {
    dialler_.keep_connected(
        {{"/ip4/192.0.2.7/tcp/1/p2p/dead"}, {"/ip4/192.0.2.8/tcp/1/p2p/there"}});
    EXPECT_TRUE(is_dialled("there", 1));
    EXPECT_TRUE(is_dialled("dead", 3));
    EXPECT_EQ(dials("there"), 1U);
}

TEST_F(KuboDiallerTest, FollowsAListThatChanges) {
    dialler_.keep_connected({{"/ip4/192.0.2.7/tcp/1/p2p/dead"}});
    ASSERT_TRUE(is_dialled("dead", 1));
    dialler_.keep_connected({{"/ip4/192.0.2.8/tcp/1/p2p/there"}});
    ASSERT_TRUE(is_dialled("there", 1));
    const std::size_t before = dials("dead");
    loop_->run_for(200ms);
    EXPECT_EQ(dials("dead"), before) << "it is no longer among them";
}

/// A Kubo that says nothing of those whose address has "dead" in it, until it is told to.
class SilentKuboTest : public ::testing::Test {
protected:
    /// Within half a minute.
    bool happens(const std::function<bool()>& condition) {
        const Instant until = now_since_boot() + 30s;
        while (!condition() && now_since_boot() < until) {
            loop_->run_for(5ms);
        }
        return condition();
    }

    static std::vector<std::string> dead(std::size_t number) {
        return {"/ip4/192.0.2.7/tcp/1/p2p/dead" + std::to_string(number)};
    }

    std::atomic<std::size_t> held_{0};  ///< Dials that wait for an answer.
    std::atomic<std::size_t> ended_{0}; ///< That waited, and were answered.
    std::atomic<std::size_t> there_{0}; ///< Dials of others.
    std::atomic<bool> answers_{false};
    HttpTestServer server_{[this](const SeenRequest& request, net::testing::Peer& peer) {
        if (request.line().find("dead") == std::string::npos) {
            ++there_;
            peer.send(answer_of(200, "", R"({"Strings":["connect success"]})"));
            return;
        }
        ++held_;
        while (!answers_ && peer.wait(5ms)) {
        }
        --held_;
        ++ended_;
        peer.send(answer_of(500, "", R"({"Message":"no route","Code":0,"Type":"error"})"));
    }};
    const std::unique_ptr<kubo::Rpc> rpc_ = client_of(server_);
    std::unique_ptr<net::EventLoop> loop_ = net::EventLoop::open().take();
    /// No dial ends of itself, and none is made twice.
    KuboDialler dialler_{
        *loop_, *rpc_, {.redial = {.connected = 3'600s, .first = 3'600s}, .dial_time_max = 3'600s}};
};

TEST_F(SilentKuboTest, OneThatIsThereDoesNotWaitForOthersThatAreNot) {
    std::vector<std::vector<std::string>> peers;
    for (std::size_t number = 0; number + 1 < limits::kubo_dials_at_once_max; ++number) {
        peers.push_back(dead(number));
    }
    peers.push_back({"/ip4/192.0.2.8/tcp/1/p2p/there"});
    dialler_.keep_connected(std::move(peers));
    EXPECT_TRUE(happens([this] { return there_ == 1; }));
    EXPECT_EQ(ended_, 0U);
}

TEST_F(SilentKuboTest, NoMoreAreDialledAtOnceThanMayBeAndTheRestThereafter) {
    constexpr std::size_t count = limits::kubo_dials_at_once_max + 3;
    std::vector<std::vector<std::string>> peers;
    for (std::size_t number = 0; number < count; ++number) {
        peers.push_back(dead(number));
    }
    dialler_.keep_connected(std::move(peers));
    ASSERT_TRUE(happens([this] { return held_ == limits::kubo_dials_at_once_max; }));
    loop_->run_for(100ms);
    EXPECT_EQ(held_, limits::kubo_dials_at_once_max);
    answers_ = true;
    EXPECT_TRUE(happens([this] { return ended_ == count; }));
    EXPECT_EQ(server_.requests().size(), count) << "each once";
}

} // namespace
} // namespace ic::wiring
