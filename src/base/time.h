#pragma once
/// Time as the project counts it. Pure code takes an Instant as an argument; only the edge asks a
/// clock.

#include <chrono>
#include <compare>
#include <cstdint>

namespace ic {

/// A point on CLOCK_BOOTTIME: monotonic, and counts suspended time. Leases and timeouts use it, so
/// that no step of the wall clock and no closed lid can stretch a lease. Comparable only between
/// processes of one boot of one machine.
struct Instant {
    std::chrono::nanoseconds since_boot{};

    friend auto operator<=>(const Instant&, const Instant&) = default;

    friend Instant operator+(Instant at, std::chrono::nanoseconds by) {
        return {at.since_boot + by};
    }

    friend Instant operator-(Instant at, std::chrono::nanoseconds by) {
        return {at.since_boot - by};
    }

    friend std::chrono::nanoseconds operator-(Instant left, Instant right) {
        return left.since_boot - right.since_boot;
    }

    static constexpr Instant never() { return {std::chrono::nanoseconds::max()}; }
};

/// Seconds since 1970-01-01 UTC, as documents carry it (`exp`, `iat`). Never used for leases.
struct UnixSeconds {
    std::int64_t value = 0;

    friend auto operator<=>(const UnixSeconds&, const UnixSeconds&) = default;
};

/// Reads CLOCK_BOOTTIME. Not for pure code.
Instant now_since_boot();

/// Reads the wall clock. Not for pure code.
UnixSeconds now_unix();

} // namespace ic
