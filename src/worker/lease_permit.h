#pragma once
/// LeasePermit: what a run is told of its lease, written by the event loop, read by the run.

#include "executor/executor.h"

#include <atomic>

namespace ic::worker {

/// Threads: every call from any thread.
class LeasePermit final : public executor::Permit {
public:
    explicit LeasePermit(Instant until) { extend(until); }

    Instant lease_until() const override {
        return {std::chrono::nanoseconds{until_ns_.load(std::memory_order_relaxed)}};
    }

    std::optional<Errc> stop_reason() const override {
        return errc_of(stop_.load(std::memory_order_relaxed));
    }

    void extend(Instant until) {
        until_ns_.store(until.since_boot.count(), std::memory_order_relaxed);
    }

    /// The first reason stays.
    void stop(Errc reason) {
        std::uint8_t none = 0;
        stop_.compare_exchange_strong(none, static_cast<std::uint8_t>(reason));
    }

private:
    std::atomic<std::int64_t> until_ns_{0};
    std::atomic<std::uint8_t> stop_{0}; // An Errc, 0 for none.
};

} // namespace ic::worker
