#include "kubo/backoff.h"

#include <algorithm>

namespace ic::kubo {

std::chrono::milliseconds backoff(const RetryPolicy& policy, int failures, std::uint64_t random) {
    constexpr int doublings_max = 20;
    const auto doublings = static_cast<unsigned>(std::clamp(failures - 1, 0, doublings_max));
    const std::int64_t first = std::clamp<std::int64_t>(policy.backoff_first.count(), 1, 1 << 20);
    const std::int64_t whole = std::min<std::int64_t>(
        first << doublings, std::max<std::int64_t>(policy.backoff_max.count(), 1));
    const std::int64_t half = whole / 2;
    const auto span = static_cast<std::uint64_t>(whole - half) + 1;
    return std::chrono::milliseconds(half + static_cast<std::int64_t>(random % span));
}

} // namespace ic::kubo
