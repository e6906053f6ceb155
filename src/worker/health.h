#pragma once
/// Health: whether this machine can keep what comes of runs, and for how long nothing is taken
/// where it cannot. Else it would be free again at once, and spoil the next job.

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace ic::worker {

namespace limits {
/// Ours: the first and the longest pause; twice as long each time.
inline constexpr std::chrono::milliseconds unwell_first{1'000};
inline constexpr std::chrono::milliseconds unwell_longest{30'000};
} // namespace limits

/// What a run that has ended says of its machine.
enum class Kept : std::uint8_t { nothing, results, failed };

/// A value without a clock. Threads: one.
class Health {
public:
    /// Whether nothing is to be taken for `pause()` from now on.
    bool fails_with(Kept kept) {
        if (kept == Kept::results && !is_pausing_) {
            pause_ = {};
        }
        if (kept != Kept::failed || is_pausing_) {
            return false;
        }
        is_pausing_ = true;
        pause_ = std::clamp(pause_ * 2, limits::unwell_first, limits::unwell_longest);
        return true;
    }

    void pause_is_over() { is_pausing_ = false; }

    std::chrono::milliseconds pause() const { return pause_; }

    /// How many of so many slots may be used: one, behind a pause, to see whether it is well.
    std::uint32_t slots(std::uint32_t usual) const {
        if (is_pausing_) {
            return 0;
        }
        return pause_.count() == 0 ? usual : std::min(usual, 1U);
    }

private:
    bool is_pausing_ = false;
    std::chrono::milliseconds pause_{0}; ///< Not 0: not known to be well again.
};

} // namespace ic::worker
