#include "executor/process/warden.h"

#include <future>
#include <memory>
#include <utility>

namespace ic::executor::process {

Warden::Warden() : thread_([this] { work(); }) {}

Warden::~Warden() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

Result<Child> Warden::start(const ChildOptions& options, UniqueFd channel) {
    std::promise<Result<Child>> promise;
    std::future<Result<Child>> answer = promise.get_future();
    {
        const std::lock_guard lock(mutex_);
        requests_.push_back([&options, &channel, &promise] {
            promise.set_value(Child::start(options, std::move(channel)));
        });
    }
    wake_.notify_one();
    return answer.get();
}

void Warden::add(Watched& watched) {
    const std::lock_guard lock(watched_mutex_);
    watched_.push_back(&watched);
}

void Warden::remove(Watched& watched) {
    const std::lock_guard lock(watched_mutex_);
    std::erase(watched_, &watched);
}

void Warden::arm() {
    armed_.fetch_add(1);
    if (asleep_.load()) { // Either this sees that it sleeps, or it sees what was just counted.
        const std::lock_guard lock(mutex_);
        wake_.notify_one();
    }
}

void Warden::disarm() { armed_.fetch_sub(1); }

void Warden::work() {
    // So that a stream of short runs does not wake this thread for each.
    constexpr int quiet_looks_before_sleep = 100;
    int quiet = 0;
    std::unique_lock lock(mutex_);
    while (!ending_ || !requests_.empty()) {
        if (!requests_.empty()) {
            std::vector<std::function<void()>> requests = std::exchange(requests_, {});
            lock.unlock();
            for (const std::function<void()>& request : requests) {
                request();
            }
            lock.lock();
            continue;
        }
        const auto called = [this] { return ending_ || !requests_.empty(); };
        if (quiet >= quiet_looks_before_sleep) {
            asleep_.store(true);
            wake_.wait(lock, [this, &called] { return called() || armed_.load() > 0; });
            asleep_.store(false);
            quiet = 0;
        } else if (!wake_.wait_for(lock, limits::warden_period, called)) {
            lock.unlock();
            look_around();
            lock.lock();
            quiet = armed_.load() > 0 ? 0 : quiet + 1;
        }
    }
}

void Warden::look_around() {
    const Instant now = now_since_boot();
    const std::lock_guard lock(watched_mutex_);
    for (Watched* watched : watched_) {
        watched->look(now);
    }
}

} // namespace ic::executor::process
