#pragma once
/// Slots: the threads on which runs block, one a slot.

#include "job/ids.h"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace ic::worker {

/// Runs tasks in the order they came, at most `count` at a time. The lease machine bids for free
/// slots only, so the queue is no longer than the number of slots.
/// Threads: `start` from any thread. The destructor waits for the tasks that run; those that have
/// not begun are dropped.
class Slots {
public:
    explicit Slots(std::size_t count);
    ~Slots();
    Slots(const Slots&) = delete;
    Slots& operator=(const Slots&) = delete;

    void start(std::function<void()> task);

    std::size_t count() const { return threads_.size(); }

private:
    void work();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> tasks_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

} // namespace ic::worker
