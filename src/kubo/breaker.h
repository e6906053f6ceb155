#pragma once
/// Breaker: stops asking somebody who does not answer, and tries again after a while.

#include "base/time.h"

#include <chrono>
#include <optional>

namespace ic::kubo {

struct BreakerPolicy {
    int failures_max = 5; ///< In a row; then nobody is asked for `pause`.
    std::chrono::milliseconds pause{3'000};
};

/// Pure: the time is an argument. Threads: one at a time.
class Breaker {
public:
    explicit Breaker(BreakerPolicy policy) : policy_(policy) {}

    /// Whether to ask now. After `pause` one caller may, as a probe; the others wait for what it
    /// reports, or for another pause if it never does.
    bool may_ask(Instant now);

    void succeeded() { failures_ = 0; }

    void failed(Instant now);

    /// Failures in a row.
    int failures() const { return failures_; }

private:
    BreakerPolicy policy_;
    int failures_ = 0;
    Instant closed_until_{};
};

} // namespace ic::kubo
