#include "executor/wasm/guest_clock.h"

#include <algorithm>
#include <ctime>

namespace ic::executor::wasm {
namespace {

std::uint64_t read_clock(clockid_t id) {
    timespec time{};
    clock_gettime(id, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(time.tv_nsec);
}

constexpr std::uint64_t count(std::chrono::nanoseconds time) {
    return static_cast<std::uint64_t>(time.count());
}

} // namespace

std::uint64_t thread_processor_time() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

void GuestClock::begin(job::Effects effects) {
    virtual_ = effects == job::Effects::pure;
    slept_ = 0;
    if (!virtual_) {
        real_start_ = read_clock(CLOCK_MONOTONIC);
        processor_start_ = thread_processor_time();
    }
}

std::uint64_t GuestClock::wall() const {
    return virtual_ ? count(wall_start) + slept_ : read_clock(CLOCK_REALTIME);
}

std::uint64_t GuestClock::monotonic() const {
    return count(monotonic_start) + (virtual_ ? slept_ : read_clock(CLOCK_MONOTONIC) - real_start_);
}

std::uint64_t GuestClock::processor() const {
    return virtual_ ? monotonic() : thread_processor_time() - processor_start_;
}

void GuestClock::advance(std::uint64_t nanoseconds) {
    // 2^63 - 1 less the later of the two starting points.
    constexpr std::uint64_t slept_max = (std::uint64_t{1} << 63U) - 1 - count(wall_start);
    slept_ += std::min(nanoseconds, slept_max - slept_);
}

} // namespace ic::executor::wasm
