#include "wiring/metrics_endpoint.h"

#include "net/web_socket.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace ic::wiring {
namespace {

using metrics::Metric;

/// The listener's errors speak of an address; this says of which setting.
constexpr std::string_view what = "metrics.listen";

net::WebAnswer answer_of(std::uint16_t status, std::string_view type, std::string_view text) {
    return {.status = status,
            .content_type = std::string(type),
            .body = LentBytes::of(copy_of(bytes_of(text)))};
}

net::WebAnswer answer_to(const net::WebExchange& request, metrics::Registry& counts) {
    const std::string_view target = request.target();
    if (target.substr(0, target.find('?')) != "/metrics") {
        return answer_of(404, "text/plain; charset=utf-8", "the metrics are at /metrics\n");
    }
    if (request.method() != "GET" && request.method() != "HEAD") {
        net::WebAnswer answer = answer_of(405, "text/plain; charset=utf-8", "GET or HEAD them\n");
        answer.headers.push_back({.name = "Allow", .value = "GET, HEAD"});
        return answer;
    }
    return answer_of(200, metrics::content_type, counts.text());
}

/// What the files of a folder take of the disk: `du`.
std::uint64_t disk_bytes_of(const std::string& folder) {
    std::uint64_t bytes = 0;
    std::error_code failed;
    for (std::filesystem::recursive_directory_iterator at(folder, failed), end;
         !failed && at != end;
         at.increment(failed)) {
        struct stat status{};
        if (::lstat(at->path().c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
            bytes += static_cast<std::uint64_t>(status.st_blocks) * 512; // stat(2)
        }
    }
    return bytes;
}

void refresh_topic(metrics::Registry& counts, const transport::Topic::Counters& topic) {
    const auto set = [&counts](std::string_view outcome, std::uint64_t packets) {
        counts.number(Metric::topic_packets, outcome).set(packets);
    };
    set("published", topic.packets);
    set("taken", topic.heard);
    set("own", topic.own);
    set("for-others", topic.for_others);
    set("not-trusted", topic.not_trusted);
    set("seen-before", topic.seen_before);
    set("too-many", topic.too_many);
    set("bad", topic.bad);
}

} // namespace

std::string metrics_address(const std::string& setting) {
    if (setting == "off") {
        return {};
    }
    const bool is_port =
        std::ranges::all_of(setting, [](char letter) { return letter >= '0' && letter <= '9'; });
    return is_port ? "127.0.0.1:" + setting : setting;
}

bool is_open_to_others(std::string_view address) {
    return !address.starts_with("127.") && !address.starts_with("[::1]:");
}

void refresh(metrics::Registry& counts, const Node& node, const config::Home& home) {
    const lease::CoordinatorCounts jobs = node.coordinator_counts();
    counts.number(Metric::jobs_open).set(jobs.open);
    counts.number(Metric::jobs_queued).set(jobs.queued);
    const lease::WorkerCounts runs = node.worker_counts();
    counts.number(Metric::slots_busy).set(runs.leases);
    counts.number(Metric::peers, "bus").set(node.peers());
    if (const Network* const network = node.network()) {
        counts.number(Metric::peers, "network").set(network->peers().size());
        refresh_topic(counts, network->topic_counters());
    }
    counts.number(Metric::store_disk_bytes).set(disk_bytes_of(home.blocks()));
}

Result<std::unique_ptr<MetricsEndpoint>>
MetricsEndpoint::open(net::EventLoop& loop, std::string_view address, metrics::Registry& counts) {
    net::WebListenerOptions options;
    options.connections_max = limits::metrics_connections_max;
    options.connections_per_address_max = limits::metrics_connections_max;
    options.handshakes_max = limits::metrics_connections_max;
    net::WebListenerCallbacks calls;
    calls.on_exchange = [&counts](const std::unique_ptr<net::WebExchange>& exchange) {
        exchange->answer(answer_to(*exchange, counts));
    };
    Result<std::unique_ptr<net::WebSocketListener>> listener =
        net::WebSocketListener::open(loop, address, options, std::move(calls));
    if (!listener) {
        return std::move(listener).take_error().during(what);
    }
    return std::make_unique<MetricsEndpoint>(std::move(listener).take());
}

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<net::WebSocketListener> listener)
    : listener_(std::move(listener)) {}

MetricsEndpoint::~MetricsEndpoint() = default;

std::uint16_t MetricsEndpoint::port() const { return listener_->port(); }

} // namespace ic::wiring
