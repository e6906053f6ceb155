#pragma once
/// Ticker: calls a function every few milliseconds while anybody is running.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace ic::executor::wasm {

/// A thread that ticks while `enter` was called more often than `leave`. Between runs that follow
/// each other closely it goes on, so that a run costs two atomic additions and no system call;
/// after a second without a run it sleeps until the next `enter`, so that an idle process has no
/// wake-ups. Threads: `enter` and `leave` from any.
class Ticker {
public:
    /// `tick` is called on the ticker's thread and does not throw.
    Ticker(std::chrono::milliseconds interval, std::function<void()> tick);
    Ticker(const Ticker&) = delete;
    Ticker& operator=(const Ticker&) = delete;
    ~Ticker();

    void enter();
    void leave();

    /// Whether the thread sleeps until the next `enter`.
    bool parked() const { return parked_.load(); }

private:
    void loop();

    const std::chrono::milliseconds interval_;
    const std::function<void()> tick_;
    std::atomic<int> running_{0};
    std::atomic<bool> parked_{false};
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false; // Under mutex_.
    std::thread thread_;
};

} // namespace ic::executor::wasm
