#pragma once
/// Catalogue: every metric that there is, with all values that its labels can have. So no label
/// grows with what comes from elsewhere: no CID, key or address is one.
/// docs/operations.md, "Metrics", lists them, and a test compares.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ic::metrics {

enum class Metric : std::uint8_t {
    announcements_declined,
    announcements_received,
    announcements_sent,
    artifact_cache_hits,
    artifact_cache_misses,
    bids_received,
    bids_sent,
    block_bytes_fetched,
    blocks_fetched,
    blocks_missed,
    blocks_refused,
    executors_replaced,
    guest_cpu,
    jobs_accepted,
    jobs_ended,
    jobs_from_memo,
    jobs_open,
    jobs_queued,
    kubo_breaker_open,
    kubo_requests,
    leases_granted,
    leases_released,
    log_lines_dropped,
    peers,
    requests_rejected,
    runs_ended,
    slots,
    slots_busy,
    spans,
    stage,
    store_disk_bytes,
    topic_packets,
};

enum class Kind : std::uint8_t { counter, gauge, histogram };

/// "counter", "gauge", "histogram".
std::string_view name(Kind kind);

/// A label with its values.
struct Label {
    std::string_view name{}; ///< Empty: there is no such label.
    std::vector<std::string_view> values{};
};

struct Family {
    Metric metric{};
    Kind kind{};
    std::string_view name; ///< As Prometheus sees it.
    std::string_view help;
    Label label{};
    Label second_label{};
    /// What is counted, in the unit of the name: 1e-6 if microseconds are and the name says
    /// seconds.
    double scale = 1;
};

/// In the order of `Metric`.
std::span<const Family> catalogue();

/// The name of a family of the catalogue.
std::string_view name(Metric metric);

/// A label's value for what is none of its others.
inline constexpr std::string_view other = "other";

/// Upper bounds of the buckets of every histogram, in seconds; one without a bound follows them.
std::span<const double> second_bounds();

} // namespace ic::metrics
