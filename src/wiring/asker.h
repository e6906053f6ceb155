#pragma once
/// Asker: a thread for questions that block, one after another.

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace ic::wiring {

namespace limits {
/// Ours.
inline constexpr std::size_t questions_waiting_max = 256;
} // namespace limits

/// Threads: any. The destructor drops what waits, and waits for what is being asked, which should
/// look at `is_ending`.
class Asker {
public:
    Asker();
    Asker(const Asker&) = delete;
    Asker& operator=(const Asker&) = delete;
    ~Asker();

    /// False, and never asked, if too many wait.
    bool ask(std::function<void()> question);

    bool is_ending() const { return ending_; }

private:
    void run();

    std::atomic<bool> ending_{false};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> questions_;
    std::thread thread_; // Last: it uses all of the above.
};

} // namespace ic::wiring
