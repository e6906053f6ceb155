#include "wiring/asker.h"

#include <utility>

namespace ic::wiring {

Asker::Asker() : thread_([this] { run(); }) {}

Asker::~Asker() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

bool Asker::ask(std::function<void()> question) {
    const std::lock_guard lock(mutex_);
    if (questions_.size() >= limits::questions_waiting_max) {
        return false;
    }
    questions_.push_back(std::move(question));
    changed_.notify_all();
    return true;
}

void Asker::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return ending_ || !questions_.empty(); });
        if (ending_) {
            return;
        }
        const std::function<void()> question = std::move(questions_.front());
        questions_.pop_front();
        lock.unlock();
        question();
        lock.lock();
    }
}

} // namespace ic::wiring
