#include "net/testing/http_test_server.h"
#include "traces/exporter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace ic::traces {
namespace {

using metrics::Metric;
using net::testing::answer_of;
using net::testing::HttpTestServer;
using net::testing::Peer;
using net::testing::SeenRequest;
using namespace std::chrono_literals;

class ExporterTest : public ::testing::Test {
protected:
    void open(const std::string& url) {
        exporter_.emplace(ExporterOptions{.url = url,
                                          .resource = {{"service.name", "test"}},
                                          .counts = &counts_,
                                          .random = [this] { return ++random_; }});
    }

    void add(const std::string& name) {
        exporter_->add(
            {.trace = exporter_->new_trace_id(), .id = exporter_->new_span_id(), .name = name});
    }

    std::uint64_t told() { return counts_.number(Metric::spans, "told").value(); }

    std::uint64_t dropped() { return counts_.number(Metric::spans, "dropped").value(); }

    metrics::Registry counts_;
    std::atomic<std::uint64_t> random_{0};
    std::optional<Exporter> exporter_;
};

std::size_t spans_in(const std::string& body) {
    std::size_t count = 0;
    for (std::size_t at = body.find("\"spanId\""); at != std::string::npos;
         at = body.find("\"spanId\"", at + 1)) {
        ++count;
    }
    return count;
}

TEST_F(ExporterTest, TellsWhatWaitsBeforeItEnds) {
    HttpTestServer server([](const SeenRequest&) { return answer_of(200, "", "{}"); });
    open(server.url("/v1/traces"));
    add("one");
    add("two");
    exporter_.reset();
    std::size_t spans = 0;
    for (const SeenRequest& request : server.requests()) {
        EXPECT_EQ(request.line(), "POST /v1/traces HTTP/1.1");
        EXPECT_NE(request.head.find("Content-Type: application/json\r\n"), std::string::npos);
        spans += spans_in(request.body);
    }
    EXPECT_EQ(spans, 2U);
    EXPECT_EQ(told(), 2U);
    EXPECT_EQ(dropped(), 0U);
}

TEST_F(ExporterTest, PutsManyIntoFewRequestsOfABound) {
    HttpTestServer server([](const SeenRequest&) { return answer_of(200, "", "{}"); });
    open(server.url("/v1/traces"));
    const std::size_t spans = 2 * limits::spans_per_request_max + 1;
    for (std::size_t number = 0; number < spans; ++number) {
        add("span");
    }
    exporter_.reset();
    std::size_t seen = 0;
    for (const SeenRequest& request : server.requests()) {
        EXPECT_LE(spans_in(request.body), limits::spans_per_request_max);
        seen += spans_in(request.body);
    }
    EXPECT_EQ(seen, spans);
    EXPECT_LT(server.requests().size(), 20U);
}

TEST_F(ExporterTest, TriesAgainWhereThatMayHelpAndNotElsewhere) {
    std::atomic<int> requests{0};
    HttpTestServer server([&](const SeenRequest&) {
        return ++requests == 1 ? answer_of(503, "", "later") : answer_of(200, "", "{}");
    });
    open(server.url("/v1/traces"));
    add("one");
    while (told() == 0) {
        std::this_thread::sleep_for(10ms);
    }
    EXPECT_EQ(requests, 2);
    HttpTestServer refusing([](const SeenRequest&) { return answer_of(400, "", "no"); });
    open(refusing.url("/v1/traces"));
    add("two");
    exporter_.reset();
    EXPECT_EQ(refusing.requests().size(), 1U);
    EXPECT_EQ(dropped(), 1U);
}

TEST_F(ExporterTest, NeverMakesAnybodyWaitForACollectorThatHangs) {
    HttpTestServer server([](const SeenRequest&, Peer& peer) {
        while (peer.wait(100ms)) { // Answers nothing until it goes.
        }
    });
    open(server.url("/v1/traces"));
    const std::size_t more = 1'000;
    for (std::size_t number = 0; number < limits::spans_waiting_max + more; ++number) {
        add("span");
    }
    EXPECT_GT(dropped(), 0U) << "one beyond the bound is dropped at once";
    exporter_.reset();
    EXPECT_EQ(told(), 0U);
    EXPECT_EQ(dropped(), limits::spans_waiting_max + more) << "each is counted";
}

TEST_F(ExporterTest, MakesIdsThatAreNeverZero) {
    open("http://127.0.0.1:9/v1/traces");
    const SpanId first = exporter_->new_span_id();
    EXPECT_NE(first, exporter_->new_span_id());
    EXPECT_NE(first, SpanId{});
    EXPECT_NE(exporter_->new_trace_id(), TraceId{});
}

TEST(UnixTime, FollowsTheWallClock) {
    const auto wall =
        static_cast<UnixNanoseconds>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                         std::chrono::system_clock::now().time_since_epoch())
                                         .count());
    const Instant now = now_since_boot();
    EXPECT_NEAR(static_cast<double>(unix_of(now)), static_cast<double>(wall), 60e9);
    const auto later = static_cast<double>(unix_of(now + 3600s));
    EXPECT_NEAR(later - static_cast<double>(unix_of(now)), 3600e9, 60e9);
}

} // namespace
} // namespace ic::traces
