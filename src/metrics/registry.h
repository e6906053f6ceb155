#pragma once
/// Registry: the numbers of one process, and their text for Prometheus.

#include "metrics/catalogue.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ic::metrics {

/// Counts, or holds, a number. Threads: any; a call costs one relaxed access.
class Number {
public:
    void add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }

    /// For a gauge, and for what is counted elsewhere.
    void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }

    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// Counts durations by their size. Threads: as Number; three accesses.
class Durations {
public:
    static constexpr std::size_t buckets = 15; ///< `second_bounds` and one without.

    void observe(std::chrono::nanoseconds duration);

    std::uint64_t count_in(std::size_t bucket) const { return counts_.at(bucket).value(); }

    std::chrono::nanoseconds sum() const { return std::chrono::nanoseconds(sum_.value()); }

private:
    std::array<Number, buckets> counts_; ///< Of each alone, not of all below it.
    Number sum_;                         ///< Nanoseconds.
};

/// Threads: all but `on_scrape` from any.
class Registry {
public:
    Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    /// The series of a counter or gauge; of a value that is not in the catalogue that of `other`,
    /// or the last one. Lifetime: as this.
    Number&
    number(Metric metric, std::string_view label_value = {}, std::string_view second_value = {});
    Durations& durations(Metric metric, std::string_view label_value = {});

    /// Has `refresh` set what is looked up instead of counted, before each text. To be called
    /// before the first `text`; `refresh` must not outlive what it captures.
    void on_scrape(std::function<void()> refresh) { refresh_ = std::move(refresh); }

    /// Every series, zeros too. Format: Prometheus text exposition 0.0.4.
    std::string text();

private:
    struct Series {
        std::vector<Number> numbers;
        std::vector<Durations> durations;
    };

    std::vector<Series> series_; ///< In the order of the catalogue.
    std::function<void()> refresh_;
};

/// What a `Registry::text` is, for the header Content-Type.
inline constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

/// As `number(...).add`, where there may be nobody who counts.
void count(Registry* registry, Metric metric, std::string_view label_value = {});
void observe(Registry* registry,
             Metric metric,
             std::string_view label_value,
             std::chrono::nanoseconds duration);

} // namespace ic::metrics
