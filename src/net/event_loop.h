#pragma once
/// EventLoop: one thread that waits for descriptors, timers, signals and posted work.
/// What it is built on (Boost.Asio) is seen by its source alone.

#include "base/result.h"
#include "base/time.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>

namespace ic::net {

/// What a descriptor is watched for. A closed or broken descriptor counts as both.
enum class Ready : std::uint8_t { to_read, to_write };

/// Names a timer; never used twice by one loop. A default one names none.
struct TimerId {
    std::uint64_t value = 0;

    friend bool operator==(const TimerId&, const TimerId&) = default;
};

/// A descriptor (or a set of signals) being watched. It is no longer watched when this goes, even
/// if its event was already due. Must go before the descriptor is closed and before the loop.
/// Threads: the loop's.
class Watch {
public:
    struct State;

    Watch();
    explicit Watch(std::shared_ptr<State> state);
    Watch(Watch&&) noexcept;
    Watch& operator=(Watch&&) noexcept;
    ~Watch();

    explicit operator bool() const { return state_ != nullptr; }

    void reset();

private:
    std::shared_ptr<State> state_; // Shared with the operation that is under way in the loop.
};

/// Threads: `post` and `stop` may be called from any; all else on the thread that runs the loop
/// (or before it runs).
class EventLoop {
public:
    /// Errors: unavailable (no descriptors left).
    static Result<std::unique_ptr<EventLoop>> open();

    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    ~EventLoop();

    /// Runs on this thread until `stop`. May be called again.
    void run();

    /// As `run`, but for no longer than this.
    void run_for(std::chrono::nanoseconds duration);

    /// Makes `run` return after what it is doing now. Asked before `run`, it returns at once.
    void stop();

    /// Has `work` done on the loop's thread, in the order of posting. Work posted while the loop
    /// is busy costs a lock and no system call; all of it is done at one waking. Work not yet done
    /// when the loop goes is dropped.
    void post(std::function<void()> work);

    /// Calls once at (never before) this instant of CLOCK_BOOTTIME: the time of a suspended machine
    /// counts. Never called if the instant is `Instant::never()`.
    TimerId at(Instant when, std::function<void()> call);

    /// As `at`, counted from now.
    TimerId after(std::chrono::nanoseconds delay, std::function<void()> call);

    /// A timer that has fired or is unknown is no mistake.
    void cancel(TimerId timer);

    /// Calls again and again for as long as `fd` is ready and the watch lives.
    /// One descriptor may be watched for both at once, by two watches.
    /// Errors: unavailable (not a descriptor that can be waited for, or none left).
    Result<Watch> watch(int fd, Ready ready, std::function<void()> call);

    /// Calls with each of these signals instead of their default action. Children that are started
    /// with exec get the default actions back. Errors: unavailable.
    Result<Watch> on_signals(std::initializer_list<int> signals, std::function<void(int)> call);

private:
    friend struct LoopContext; // Inside this folder alone.
    struct Impl;
    explicit EventLoop(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace ic::net
