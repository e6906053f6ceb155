#pragma once
/// GuestClock: the time a guest sees.

#include "base/time.h"
#include "job/spec.h"

#include <chrono>
#include <cstdint>

namespace ic::executor::wasm {

/// For a pure guest time is virtual: it begins at a fixed point and moves only when the guest
/// sleeps, so that every run sees the same. For an impure one it is the machine's.
/// docs/formats/abi.md fixes the starting points, since results depend on them.
class GuestClock {
public:
    /// 2001-09-09T01:46:40Z: a plain date that is not the zero that some programs take for "unset".
    static constexpr std::chrono::nanoseconds wall_start = std::chrono::seconds{1'000'000'000};
    /// Not zero: Go's runtime refuses to start at a monotonic time of zero.
    static constexpr std::chrono::nanoseconds monotonic_start = std::chrono::seconds{1};

    void begin(job::Effects effects);

    /// Nanoseconds since 1970.
    std::uint64_t wall() const;
    /// Nanoseconds since `monotonic_start` before the run began.
    std::uint64_t monotonic() const;
    /// Nanoseconds of processor time since the run began; the monotonic time where it is virtual.
    std::uint64_t processor() const;

    bool is_virtual() const { return virtual_; }

    /// Moves virtual time on, not beyond what 63 bits of nanoseconds hold.
    void advance(std::uint64_t nanoseconds);

private:
    bool virtual_ = true;
    std::uint64_t slept_ = 0;
    std::uint64_t real_start_ = 0;
    std::uint64_t processor_start_ = 0;
};

/// CLOCK_THREAD_CPUTIME_ID, nanoseconds.
std::uint64_t thread_processor_time();

} // namespace ic::executor::wasm
