#include "kubo/breaker.h"

#include <limits>
#include <utility>

namespace ic::kubo {

bool Breaker::may_ask(Instant now) {
    if (failures_ < policy_.failures_max) {
        return true;
    }
    if (now < closed_until_) {
        return false;
    }
    closed_until_ = now + policy_.pause; // The caller is the probe.
    return true;
}

void Breaker::failed(Instant now) {
    if (failures_ < std::numeric_limits<int>::max()) {
        ++failures_;
    }
    if (failures_ >= policy_.failures_max) {
        closed_until_ = now + policy_.pause;
    }
}

std::string SharedBreaker::objection(Instant now) {
    const std::lock_guard lock(mutex_);
    return breaker_.may_ask(now) ? std::string()
                                 : "it failed " + std::to_string(breaker_.failures()) +
                                       " times in a row: " + last_failure_;
}

void SharedBreaker::succeeded() {
    const std::lock_guard lock(mutex_);
    breaker_.succeeded();
}

void SharedBreaker::failed(Instant now, std::string with) {
    const std::lock_guard lock(mutex_);
    breaker_.failed(now);
    last_failure_ = std::move(with);
}

int SharedBreaker::failures() {
    const std::lock_guard lock(mutex_);
    return breaker_.failures();
}

} // namespace ic::kubo
