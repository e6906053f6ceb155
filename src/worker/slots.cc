#include "worker/slots.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

namespace ic::worker {

Slots::Slots(std::size_t count) {
    threads_.reserve(count);
    for (std::size_t index = 0; index < count; ++index) {
        threads_.emplace_back([this] { work(); });
    }
}

Slots::~Slots() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

void Slots::start(std::function<void()> task) {
    {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
}

void Slots::work() {
    for (;;) {
        std::function<void()> task;
        {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
            if (stopping_) {
                return;
            }
            task = std::move(tasks_.front());
            tasks_.pop_front();
        }
        // A thread's entry is one of the four edges: what a library throws here (out of memory,
        // mostly) must not look like a finished run. Dying is honest: the lease moves on.
        try {
            task();
        } catch (const std::exception& e) {
            std::fprintf(stderr, "ipfs-compute: internal: a run threw: %s\n", e.what());
            std::abort();
        }
    }
}

} // namespace ic::worker
