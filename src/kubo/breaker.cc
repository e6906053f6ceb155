#include "kubo/breaker.h"

#include <limits>

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

} // namespace ic::kubo
