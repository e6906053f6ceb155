#include "base/time.h"

#include <ctime>

namespace ic {
namespace {

std::timespec read_clock(clockid_t clock) {
    std::timespec value{};
    ::clock_gettime(clock, &value); // Cannot fail for these clocks on Linux 2.6.39 and later.
    return value;
}

} // namespace

Instant now_since_boot() {
    const std::timespec value = read_clock(CLOCK_BOOTTIME);
    return {std::chrono::seconds{value.tv_sec} + std::chrono::nanoseconds{value.tv_nsec}};
}

UnixSeconds now_unix() { return {read_clock(CLOCK_REALTIME).tv_sec}; }

} // namespace ic
