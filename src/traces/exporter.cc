#include "traces/exporter.h"

#include "net/http_client.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <iterator>
#include <utility>

namespace ic::traces {
namespace {

/// What a collector says that has no room now. Source: OTLP 1.x, "OTLP/HTTP Response", "Failures".
bool may_pass(std::uint16_t status) {
    return status == 429 || status == 502 || status == 503 || status == 504;
}

template <class Id>
Id random_id(const std::function<std::uint64_t()>& random) {
    Id id;
    for (std::size_t at = 0; at < id.bytes.size(); at += sizeof(std::uint64_t)) {
        const std::uint64_t number = random();
        std::memcpy(id.bytes.data() + at, &number, sizeof number);
    }
    id.bytes.back() = static_cast<std::uint8_t>(id.bytes.back() | 1U); // Never all zero.
    return id;
}

} // namespace

UnixNanoseconds unix_of(Instant at) {
    const auto wall = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    const std::chrono::nanoseconds then = wall - (now_since_boot() - at);
    return static_cast<UnixNanoseconds>(std::max<std::int64_t>(0, then.count()));
}

Exporter::Exporter(ExporterOptions options)
    : options_(std::move(options))
    , thread_([this] {
        try {
            work();
        } catch (const std::exception&) {
            // Of libraries: there are no more traces then, and what comes fills up and is dropped.
        }
    }) {}

Exporter::~Exporter() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        end_until_ = now_since_boot() + limits::last_words_time_max;
    }
    changed_.notify_all();
    thread_.join();
    count("dropped", waiting_.size());
}

void Exporter::add(Span span) {
    {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() < limits::spans_waiting_max) {
            waiting_.push_back(std::move(span));
            if (waiting_.size() != 1 && waiting_.size() != limits::spans_per_request_max) {
                return; // The thread knows, or waits for more.
            }
        } else {
            count("dropped", 1);
            return;
        }
    }
    changed_.notify_all();
}

SpanId Exporter::new_span_id() const { return random_id<SpanId>(options_.random); }

TraceId Exporter::new_trace_id() const { return random_id<TraceId>(options_.random); }

void Exporter::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
        changed_.wait_for(lock, limits::batch_time_max, [this] {
            return ending_ || waiting_.size() >= limits::spans_per_request_max;
        });
        if (waiting_.empty() || (ending_ && now_since_boot() >= end_until_)) {
            return; // It ends.
        }
        const std::size_t size = std::min(waiting_.size(), limits::spans_per_request_max);
        const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(size);
        const std::vector<Span> batch(std::make_move_iterator(waiting_.begin()),
                                      std::make_move_iterator(end));
        waiting_.erase(waiting_.begin(), end);
        lock.unlock();
        count(post(batch) ? "told" : "dropped", batch.size());
        lock.lock();
    }
}

bool Exporter::post(const std::vector<Span>& batch) {
    const net::HttpPolicy policy{.any_address = true, .follows_redirects = false};
    net::HttpLimits bounds;
    bounds.total_time_max = limits::request_time_max;
    bounds.stop = [this]() -> std::optional<Error> {
        return is_over_time() ? std::optional(Error{Errc::cancelled, "this process ends"})
                              : std::nullopt;
    };
    net::HttpRequest request{.method = "POST", .url = options_.url};
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = copy_of(bytes_of(otlp_request(batch, options_.resource)));
    std::chrono::milliseconds wait = limits::pause_first;
    for (int attempt = 1;; ++attempt, wait *= 2) {
        const auto response = net::http_request(request, policy, bounds);
        if (response && (*response)->head().status / 100 == 2) {
            return true;
        }
        const bool passes = response ? may_pass((*response)->head().status)
                                     : response.error().code == Errc::unavailable;
        if (!passes || attempt >= limits::attempts_max || !pause(wait)) {
            return false;
        }
    }
}

bool Exporter::is_over_time() {
    const std::lock_guard lock(mutex_);
    return ending_ && now_since_boot() >= end_until_;
}

/// False: the end has come, and nothing is to be tried again.
bool Exporter::pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, time, [this] { return ending_; });
}

void Exporter::count(std::string_view outcome, std::size_t spans) const {
    if (options_.counts != nullptr) {
        options_.counts->number(metrics::Metric::spans, outcome).add(spans);
    }
}

} // namespace ic::traces
