#include "executor/wasm/ticker.h"

#include <csignal>
#include <utility>

namespace ic::executor::wasm {
namespace {

constexpr int idle_ticks_max = 100;

} // namespace

Ticker::Ticker(std::chrono::milliseconds interval, std::function<void()> tick)
    : interval_(interval)
    , tick_(std::move(tick)) {
    // Signals belong to the threads of the program, so the ticker starts with all of them blocked.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { loop(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Ticker::~Ticker() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Ticker::enter() {
    // The loop sets `parked_` before it looks at `running_` and this does the reverse, both in the
    // single order of all such operations: one of the two sees the other.
    running_.fetch_add(1);
    if (parked_.load()) {
        const std::lock_guard lock(mutex_);
        parked_.store(false);
        wake_.notify_one();
    }
}

void Ticker::leave() { running_.fetch_sub(1); }

void Ticker::loop() {
    std::unique_lock lock(mutex_);
    int idle_ticks = 0;
    while (!stopping_) {
        if (idle_ticks >= idle_ticks_max) {
            parked_.store(true);
            if (running_.load() > 0) {
                parked_.store(false);
            }
            wake_.wait(lock, [this] { return stopping_ || !parked_.load(); });
            idle_ticks = 0;
            continue;
        }
        wake_.wait_for(lock, interval_, [this] { return stopping_; });
        if (running_.load() > 0) {
            tick_();
            idle_ticks = 0;
        } else {
            ++idle_ticks;
        }
    }
}

} // namespace ic::executor::wasm
