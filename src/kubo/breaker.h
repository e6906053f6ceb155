#pragma once
/// Breaker: stops asking somebody who does not answer, and tries again after a while.

#include "base/time.h"

#include <chrono>
#include <mutex>
#include <string>

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

/// The breaker of one Kubo, for all who ask it: what one has learnt of its absence, the others need
/// not learn too. Threads: any.
class SharedBreaker {
public:
    explicit SharedBreaker(BreakerPolicy policy) : breaker_(policy) {}

    /// Empty if it may be asked now, as `Breaker::may_ask`; else how often it failed in a row, and
    /// with what at last.
    std::string objection(Instant now);

    void succeeded();
    void failed(Instant now, std::string with);

    /// In a row.
    int failures();

private:
    std::mutex mutex_;
    Breaker breaker_;
    std::string last_failure_;
};

} // namespace ic::kubo
