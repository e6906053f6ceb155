#pragma once
/// How long to wait before the next attempt.

#include <chrono>
#include <cstdint>

namespace ic::kubo {

struct RetryPolicy {
    int attempts_max = 3; ///< The first one counts.
    std::chrono::milliseconds backoff_first{100};
    std::chrono::milliseconds backoff_max{5'000};
};

/// After `failures` (1 or more) in a row: doubles from `backoff_first` to `backoff_max`, of which
/// the second half is left to chance (`random`: any 64 bits), so that those who failed together do
/// not try again together.
std::chrono::milliseconds backoff(const RetryPolicy& policy, int failures, std::uint64_t random);

} // namespace ic::kubo
