/// What an OpenTelemetry collector is told of a job by the processes that it goes through.

#include "cli/desk.h"
#include "metrics/testing/exposition.h"
#include "net/http_client.h"
#include "net/testing/http_test_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace ic::cli_test {
namespace {

using net::testing::answer_of;
using net::testing::HttpTestServer;
using net::testing::SeenRequest;
using ::testing::ElementsAre;
using namespace std::chrono_literals;

// The example of W3C Trace Context, section 3.2.2.5.
constexpr const char* given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr const char* given_trace = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr const char* given_span = "00f067aa0ba902b7";

struct SeenSpan {
    nlohmann::json span;
    std::string role; ///< Of the process that told it.

    std::string attribute(const std::string& key) const {
        for (const nlohmann::json& one : span["attributes"]) {
            if (one["key"] == key) {
                return one["value"].begin().value().get<std::string>();
            }
        }
        return "";
    }
};

/// A collector that takes all.
class Collector {
public:
    std::string url() const { return server_.url(""); }

    const HttpTestServer& server() const { return server_; }

    std::vector<SeenSpan> spans() const {
        std::vector<SeenSpan> all;
        for (const SeenRequest& request : server_.requests()) {
            EXPECT_EQ(request.line(), "POST /v1/traces HTTP/1.1");
            const nlohmann::json document = json_of(request.body);
            for (const nlohmann::json& resource : document["resourceSpans"]) {
                SeenSpan seen;
                seen.span["attributes"] = resource["resource"]["attributes"];
                EXPECT_EQ(seen.attribute("service.name"), "ipfs-compute");
                seen.role = seen.attribute("ipfs_compute.role");
                for (const nlohmann::json& span : resource["scopeSpans"][0]["spans"]) {
                    seen.span = span;
                    all.push_back(seen);
                }
            }
        }
        return all;
    }

private:
    HttpTestServer server_{[](const SeenRequest&) { return answer_of(200, "", "{}"); }};
};

const SeenSpan& named(const std::vector<SeenSpan>& spans, const std::string& name) {
    static const SeenSpan none{.span = nlohmann::json::object(), .role = ""};
    for (const SeenSpan& span : spans) {
        if (span.span["name"] == name) {
            return span;
        }
    }
    ADD_FAILURE() << "no span '" << name << "'";
    return none;
}

std::string text_in(const SeenSpan& span, const std::string& field) {
    return span.span.value(field, "");
}

TEST(Traces, FollowAJobThroughEveryProcessUnderOneTrace) {
    const Desk desk;
    const Collector collector;
    const auto worker = desk.start_worker({"--otlp-endpoint", collector.url()});
    const Finished submitted =
        desk(desk.kit("submit", "_start"),
             {.environment = {std::string("TRACEPARENT=") + given,
                              "OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.url() + "/"}});
    ASSERT_EQ(submitted.status, 0) << submitted.err;
    worker->signal(SIGTERM);
    EXPECT_EQ(worker->finish().status, 0) << "what waits is told before it ends";
    const std::vector<SeenSpan> spans = collector.spans();
    const std::string job = line_after(submitted.err, "job ");
    std::multiset<std::string> names;
    std::set<std::string> ids;
    for (const SeenSpan& span : spans) {
        names.insert(text_in(span, "name"));
        EXPECT_TRUE(ids.insert(text_in(span, "spanId")).second) << span.span;
        EXPECT_EQ(text_in(span, "traceId"), given_trace) << span.span;
        EXPECT_EQ(span.attribute("ipfs_compute.job"), job) << span.span;
        EXPECT_LE(std::stoull(text_in(span, "startTimeUnixNano")),
                  std::stoull(text_in(span, "endTimeUnixNano")));
        EXPECT_EQ(span.span["status"]["code"], 1) << span.span;
    }
    EXPECT_THAT(
        names,
        ElementsAre(
            "claim", "compile", "fetch", "job", "lease", "publish", "queue", "run", "submit"));
    const auto id_of = [&](const std::string& name) {
        return text_in(named(spans, name), "spanId");
    };
    const std::map<std::string, std::string> parents{{"submit", given_span},
                                                     {"job", id_of("submit")},
                                                     {"queue", id_of("job")},
                                                     {"lease", id_of("job")},
                                                     {"claim", id_of("lease")},
                                                     {"fetch", id_of("lease")},
                                                     {"compile", id_of("lease")},
                                                     {"run", id_of("lease")},
                                                     {"publish", id_of("lease")}};
    for (const auto& [name, parent] : parents) {
        EXPECT_EQ(text_in(named(spans, name), "parentSpanId"), parent) << name;
        EXPECT_EQ(named(spans, name).role, name == "submit" ? "submit" : "worker") << name;
    }
    EXPECT_EQ(named(spans, "job").attribute("ipfs_compute.ending"), "success");
    EXPECT_EQ(named(spans, "publish").attribute("ipfs_compute.ending"), "success");
}

TEST(Traces, SayHowAJobFailedThatCarriesNoContext) {
    const Desk desk;
    const Collector collector;
    const auto worker = desk.start_worker({"--otlp-endpoint", collector.url() + "/v1/traces"});
    EXPECT_EQ(desk(desk.kit("submit", "trap")).status, 122);
    worker->signal(SIGTERM);
    EXPECT_EQ(worker->finish().status, 0);
    const std::vector<SeenSpan> spans = collector.spans();
    const SeenSpan& job = named(spans, "job");
    EXPECT_EQ(job.attribute("ipfs_compute.ending"), "trap-unreachable");
    EXPECT_EQ(job.span["status"]["code"], 2);
    EXPECT_FALSE(job.span.contains("parentSpanId")) << "it is the root";
    for (const SeenSpan& span : spans) {
        EXPECT_EQ(text_in(span, "traceId"), text_in(job, "traceId")) << "one trace, told by nobody";
    }
}

TEST(Traces, AreNotRecordedWhereTheirContextSaysSo) {
    const Desk desk;
    const Collector collector;
    const auto worker = desk.start_worker({"--otlp-endpoint", collector.url()});
    std::string not_sampled(given);
    not_sampled.back() = '0';
    const Finished submitted =
        desk(desk.kit("submit", "_start", {"--otlp-endpoint", collector.url()}),
             {.environment = {"TRACEPARENT=" + not_sampled}});
    EXPECT_EQ(submitted.status, 0) << submitted.err;
    worker->signal(SIGTERM);
    EXPECT_EQ(worker->finish().status, 0);
    EXPECT_EQ(collector.spans().size(), 0U);
}

TEST(Traces, AreOffByDefaultAndHoldNothingUpWhereNobodyTakesThem) {
    const Desk desk;
    const auto worker =
        desk.start_worker({"--otlp-endpoint", "http://127.0.0.1:9", "--metrics-listen", "0"});
    EXPECT_EQ(desk(desk.kit("submit", "_start")).out, "hello\n");
    const std::string where = line_after(worker->err(), "ipfs-compute: metrics are at ");
    const auto until = std::chrono::steady_clock::now() + 60s;
    double dropped = 0;
    while (dropped == 0 && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(100ms);
        auto response = net::http_request({.url = where}, {.any_address = true}, {});
        ASSERT_TRUE(response.ok()) << response.error().message;
        std::string text;
        Bytes piece(64U << 10U);
        for (std::size_t count = 1; count != 0;) {
            count = (*response)->read(piece).take();
            text += text_of(ByteView(piece).first(count));
        }
        dropped = metrics::testing::value_in(metrics::testing::parse_exposition(text).take(),
                                             "ipfs_compute_spans_total",
                                             R"({outcome="dropped"})");
    }
    EXPECT_GE(dropped, 5) << "job, queue, lease, claim and the stages";
    expect_error(desk({"worker", "--otlp-endpoint", "nowhere"}), 120, "usage");
    expect_error(desk({"worker"}, {.environment = {"OTEL_EXPORTER_OTLP_ENDPOINT=nowhere"}}),
                 121,
                 "malformed");
}

} // namespace
} // namespace ic::cli_test
