#pragma once
/// SimClock: the clocks of one simulated machine, which lie.

#include <chrono>
#include <cstdint>

namespace ic::sim {

using Us = std::int64_t; ///< Real time, microseconds since the simulation began.

/// CLOCK_BOOTTIME, which counts time in suspend but runs at a rate of its own, and the wall clock,
/// which people and servers of time set to anything.
class SimClock {
public:
    /// `ticks`: what it shows at the beginning. `rate`: in thousandths of real time.
    SimClock(Us ticks, std::int64_t rate, Us wall_offset)
        : ticks_(ticks)
        , rate_(rate)
        , wall_offset_(wall_offset) {}

    Us at(Us now) const { return ticks_ + (now - since_) * rate_ / 1'000; }

    /// The first moment at which it shows `ticks` if its rate stays.
    Us when(Us ticks) const {
        return ticks <= ticks_ ? since_ : since_ + ((ticks - ticks_) * 1'000 + rate_ - 1) / rate_;
    }

    Us wall_at(Us now) const { return at(now) + wall_offset_; }
    Us wall_offset() const { return wall_offset_; }

    void set_rate(std::int64_t rate, Us now) {
        ticks_ = at(now);
        since_ = now;
        rate_ = rate;
    }

    void move_wall(Us by) { wall_offset_ += by; }

private:
    Us ticks_;
    Us since_ = 0;
    std::int64_t rate_;
    Us wall_offset_;
};

} // namespace ic::sim
