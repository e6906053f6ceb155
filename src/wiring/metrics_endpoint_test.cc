#include "job/testing/vectors.h"
#include "metrics/testing/exposition.h"
#include "net/http_client.h"
#include "wiring/metrics_endpoint.h"
#include "wiring/network_settings.h"

#include <gtest/gtest.h>

#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace ic::wiring {
namespace {

using namespace std::chrono_literals;

struct Answer {
    std::uint16_t status = 0;
    std::string type;
    std::string body;
};

/// Asks from another thread, while the loop runs on this one.
Answer ask(net::EventLoop& loop, const std::string& method, const std::string& url) {
    Answer answer;
    std::thread client([&] {
        const net::HttpPolicy policy{.any_address = true};
        auto response = net::http_request({.method = method, .url = url}, policy, {});
        if (response) {
            answer.status = (*response)->head().status;
            for (const auto& [name, value] : (*response)->head().headers) {
                answer.type = name == "content-type" ? value : answer.type;
            }
            std::vector<std::uint8_t> piece(64U << 10U);
            for (std::size_t count = 1; count != 0;) {
                count = (*response)->read(piece).take();
                answer.body.append(reinterpret_cast<const char*>(piece.data()), count);
            }
        }
        loop.stop();
    });
    loop.run();
    client.join();
    return answer;
}

TEST(MetricsEndpoint, AnswersWithEveryMetricAndNothingElse) {
    const auto loop = net::EventLoop::open().take();
    metrics::Registry counts;
    metrics::count(&counts, metrics::Metric::jobs_accepted);
    const auto endpoint = MetricsEndpoint::open(*loop, "127.0.0.1:0", counts).take();
    const std::string url = "http://127.0.0.1:" + std::to_string(endpoint->port());
    const Answer answer = ask(*loop, "GET", url + "/metrics");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.type, "text/plain; version=0.0.4; charset=utf-8");
    const auto families = metrics::testing::parse_exposition(answer.body);
    ASSERT_TRUE(families.ok()) << families.error().message;
    EXPECT_EQ(families->size(), metrics::catalogue().size());
    EXPECT_EQ(metrics::testing::value_in(*families, "ipfs_compute_jobs_accepted_total"), 1);
    EXPECT_EQ(ask(*loop, "GET", url + "/metrics?x=1").status, 200);
    EXPECT_EQ(ask(*loop, "HEAD", url + "/metrics").body, "");
    EXPECT_EQ(ask(*loop, "GET", url + "/").status, 404);
    EXPECT_EQ(ask(*loop, "GET", url + "/metricsx").status, 404);
    EXPECT_EQ(ask(*loop, "POST", url + "/metrics").status, 405);
}

TEST(MetricsEndpoint, NamesItsSettingWhereItCannotListen) {
    const auto loop = net::EventLoop::open().take();
    metrics::Registry counts;
    const auto first = MetricsEndpoint::open(*loop, "127.0.0.1:0", counts).take();
    const auto second =
        MetricsEndpoint::open(*loop, "127.0.0.1:" + std::to_string(first->port()), counts);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, Errc::unavailable);
    EXPECT_TRUE(second.error().message.starts_with("metrics.listen: ")) << second.error().message;
    EXPECT_EQ(MetricsEndpoint::open(*loop, "here:there", counts).error().code, Errc::malformed);
}

TEST(MetricsAddress, IsOfThisMachineAloneUnlessItSaysMore) {
    EXPECT_EQ(metrics_address("off"), "");
    EXPECT_EQ(metrics_address("9464"), "127.0.0.1:9464");
    EXPECT_EQ(metrics_address("0.0.0.0:9464"), "0.0.0.0:9464");
    EXPECT_FALSE(is_open_to_others("127.0.0.1:9464"));
    EXPECT_FALSE(is_open_to_others("[::1]:9464"));
    EXPECT_TRUE(is_open_to_others("0.0.0.0:9464"));
    EXPECT_TRUE(is_open_to_others("[::]:9464"));
    EXPECT_TRUE(is_open_to_others("192.0.2.7:9464"));
}

TEST(KuboCounting, SortsRequestsByKindAndEnd) {
    EXPECT_FALSE(counting(nullptr));
    metrics::Registry counts;
    const auto tell = counting(&counts);
    tell({.command = "pin/add", .end = kubo::AttemptEnd::ok});
    tell({.command = "id", .end = kubo::AttemptEnd::failed, .is_breaker_open = true});
    tell({.command = "new/thing", .end = kubo::AttemptEnd::not_asked, .is_breaker_open = true});
    using metrics::Metric;
    EXPECT_EQ(counts.number(Metric::kubo_requests, "pin", "ok").value(), 1U);
    EXPECT_EQ(counts.number(Metric::kubo_requests, "id", "failed").value(), 1U);
    EXPECT_EQ(counts.number(Metric::kubo_requests, "other", "not-asked").value(), 1U);
    EXPECT_EQ(counts.number(Metric::kubo_breaker_open).value(), 1U);
    tell({.command = "id", .end = kubo::AttemptEnd::ok});
    EXPECT_EQ(counts.number(Metric::kubo_breaker_open).value(), 0U);
}

/// A few values are listed; the endings and errors have pages of their own.
std::string label_cell(const metrics::Label& label) {
    constexpr std::size_t listed_max = 16;
    if (label.name.empty()) {
        return "";
    }
    std::string text = "`" + std::string(label.name) + "`";
    for (std::size_t at = 0; at < label.values.size() && label.values.size() <= listed_max; ++at) {
        text.append(at == 0 ? ": " : ", ").append(label.values[at]);
    }
    return text;
}

std::string row_of(const metrics::Family& family) {
    const std::string second = label_cell(family.second_label);
    return "| `" + std::string(family.name) + "` | " + std::string(name(family.kind)) + " | " +
           label_cell(family.label) + (second.empty() ? "" : "; " + second) + " | " +
           std::string(family.help) + " |";
}

TEST(MetricsPage, HasARowForEachMetricAndNoOther) {
    std::vector<std::string> rows;
    std::istringstream page(job::testing::read_text("docs/operations.md"));
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("| `ipfs_compute_")) {
            rows.push_back(line);
        }
    }
    std::vector<std::string> wanted;
    for (const metrics::Family& family : metrics::catalogue()) {
        wanted.push_back(row_of(family));
    }
    std::string all;
    for (const std::string& row : wanted) {
        all += row + "\n";
    }
    EXPECT_EQ(rows, wanted) << "docs/operations.md, \"Metrics\", should have:\n" << all;
}

} // namespace
} // namespace ic::wiring
