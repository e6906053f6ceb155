#include "net/testing/http_test_server.h"
#include "wiring/announcer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace ic::wiring {
namespace {

using namespace std::chrono_literals;
using net::testing::answer_of;
using net::testing::HttpTestServer;
using net::testing::SeenRequest;
using ::testing::HasSubstr;

Cid result(std::size_t number) { return cid_of(Codec::raw, bytes_of(std::to_string(number))); }

class AnnouncerTest : public ::testing::Test {
protected:
    /// A Kubo that is there or is not.
    HttpTestServer server{[this](const SeenRequest&) {
        while (is_slow) {
            std::this_thread::sleep_for(1ms);
        }
        return is_there ? answer_of(200, "", R"({"Extra":"","ID":"","Responses":null,"Type":0})")
                        : answer_of(503, "", "starting");
    }};

    std::unique_ptr<kubo::Rpc> open() {
        kubo::RpcOptions options;
        options.address = server.url("");
        options.retry.attempts_max = 1;
        options.breaker.failures_max = 1'000'000;
        return std::move(kubo::Rpc::open(options)).take();
    }

    static void until(const std::function<bool()>& holds) {
        const auto end = std::chrono::steady_clock::now() + 60s;
        while (!holds() && std::chrono::steady_clock::now() < end) {
            std::this_thread::sleep_for(1ms);
        }
        EXPECT_TRUE(holds());
    }

    std::atomic<bool> is_there{true};
    std::atomic<bool> is_slow{false};
    std::unique_ptr<kubo::Rpc> rpc = open();
};

TEST_F(AnnouncerTest, ProvidesEachResultOnceAndNoneThatIsInItsCid) {
    Announcer announcer(*rpc, {.provide_every = 1ms});
    const Cid itself = Cid::v1(Codec::raw, HashCode::identity, bytes_of("itself"));
    announcer.add(std::vector{result(1), itself, result(2), result(2)});
    until([&] { return announcer.counts().provided == 2; });
    std::vector<std::string> lines;
    for (const SeenRequest& request : server.requests()) {
        lines.push_back(request.line());
    }
    ASSERT_EQ(lines.size(), 2U);
    std::ranges::sort(lines);
    std::vector<std::string> cids{result(1).to_string(), result(2).to_string()};
    std::ranges::sort(cids);
    for (std::size_t at = 0; at < 2; ++at) {
        EXPECT_THAT(lines[at], HasSubstr("/api/v0/routing/provide?arg=" + cids[at]));
    }
}

TEST_F(AnnouncerTest, AsksTheNetworkNoFasterThanItMay) {
    Announcer announcer(*rpc, {.provide_every = 1h});
    announcer.add(std::vector{result(1), result(2), result(3)});
    until([&] { return announcer.counts().provided == 1; });
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(server.requests().size(), 1U) << "one, then a pause of an hour";
}

TEST_F(AnnouncerTest, GoesOnOnceKuboIsThereAgain) {
    is_there = false;
    Announcer announcer(*rpc, {.provide_every = 1ms, .rest_time = 1ms});
    announcer.add(std::vector{result(1)});
    until([&] { return announcer.counts().failed == 1; });
    is_there = true;
    announcer.add(std::vector{result(2)});
    until([&] { return announcer.counts().provided == 1; });
}

TEST_F(AnnouncerTest, WhatIsBehindWaitsForAllElse) {
    is_slow = true;
    Announcer announcer(*rpc, {.provide_every = 1ms});
    announcer.add(std::vector{result(0)});
    until([&] { return server.requests().size() == 1; });
    announcer.add_behind(std::vector{result(1), result(2)});
    announcer.add(std::vector{result(3), result(4)});
    is_slow = false;
    until([&] { return announcer.counts().provided == 5; });
    const std::vector<SeenRequest> requests = server.requests();
    ASSERT_EQ(requests.size(), 5U);
    std::size_t at = 1;
    for (const unsigned number : {4U, 3U, 1U, 2U}) {
        EXPECT_THAT(requests[at].line(), HasSubstr(result(number).to_string())) << at;
        ++at;
    }
}

TEST_F(AnnouncerTest, KeepsNoMoreThanItsBound) {
    is_there = false;
    Announcer announcer(*rpc, {.rest_time = 1h});
    std::vector<Cid> many;
    for (std::size_t number = 0; number < limits::provides_waiting_max + 10; ++number) {
        many.push_back(result(number));
    }
    announcer.add(many);
    EXPECT_EQ(announcer.counts().dropped, 10U);
}

} // namespace
} // namespace ic::wiring
