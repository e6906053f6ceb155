#pragma once
/// Exporter: hands spans to a collector, in batches, from a thread of its own.

#include "base/result.h"
#include "base/time.h"
#include "metrics/registry.h"
#include "traces/span.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ic::traces {

namespace limits {
/// Ours, all of them. Spans that wait to be told; one beyond it is dropped and counted.
inline constexpr std::size_t spans_waiting_max = 4'096;
inline constexpr std::size_t spans_per_request_max = 512;
/// How long a batch may fill up.
inline constexpr std::chrono::milliseconds batch_time_max{500};
/// How often a request is made before its spans are dropped, and the pauses between.
inline constexpr int attempts_max = 4;
inline constexpr std::chrono::milliseconds pause_first{250};
/// Of one request.
inline constexpr std::chrono::milliseconds request_time_max{10'000};
/// How long the end of the exporter waits for a collector that does not answer.
inline constexpr std::chrono::milliseconds last_words_time_max{1'000};
} // namespace limits

struct ExporterOptions {
    std::string url; ///< Where requests are posted: `http://HOST:4318/v1/traces`.
    Resource resource{};
    metrics::Registry* counts = nullptr;   ///< Of spans told and dropped; null: nobody counts.
    std::function<std::uint64_t()> random; ///< Any 64 bits, for span ids. Threads: any.
};

/// Threads: all from any. Nothing here waits but the destructor, for `last_words_time_max` at most.
class Exporter {
public:
    explicit Exporter(ExporterOptions options);
    Exporter(const Exporter&) = delete;
    Exporter& operator=(const Exporter&) = delete;
    ~Exporter();

    /// Drops it if too many wait.
    void add(Span span);

    SpanId new_span_id() const;
    TraceId new_trace_id() const;

private:
    void work();
    bool post(const std::vector<Span>& batch);
    /// Nothing more is to be tried: the end has come, and lasts too long.
    bool is_over_time();
    bool pause(std::chrono::milliseconds time);
    void count(std::string_view outcome, std::size_t spans) const;

    const ExporterOptions options_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Span> waiting_;
    bool ending_ = false;
    Instant end_until_{};
    std::thread thread_; // Last: it uses all of the above.
};

/// The time of an instant of this boot, as the wall clock has it now.
UnixNanoseconds unix_of(Instant at);

} // namespace ic::traces
