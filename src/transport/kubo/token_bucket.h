#pragma once
/// TokenBucket: so many a second on average, so many at once.

#include "base/time.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace ic::transport {

/// A value; the clock is the caller's.
class TokenBucket {
public:
    struct Rate {
        std::uint32_t per_second = 0;
        std::uint32_t at_once = 0;
    };

    /// Full at `now`.
    TokenBucket(const Rate& rate, Instant now)
        : rate_(rate)
        , tokens_(nanos_per_second * rate.at_once)
        , at_(now) {}

    /// Whether there was a token; it is taken.
    bool take(Instant now) {
        // A token is a second's worth of nanoseconds, so that no fraction gets lost.
        const std::int64_t full = nanos_per_second * rate_.at_once;
        const std::int64_t passed =
            std::min<std::int64_t>(std::chrono::nanoseconds(now - at_).count(), full);
        tokens_ = std::min(tokens_ + passed * rate_.per_second, full);
        at_ = now;
        if (tokens_ < nanos_per_second) {
            return false;
        }
        tokens_ -= nanos_per_second;
        return true;
    }

private:
    static constexpr std::int64_t nanos_per_second = 1'000'000'000;

    Rate rate_;
    std::int64_t tokens_;
    Instant at_;
};

} // namespace ic::transport
