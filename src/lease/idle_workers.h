#pragma once
/// IdleWorkers: whom a coordinator may ask directly before it asks everybody.

#include "base/time.h"
#include "job/message.h"

#include <cstddef>
#include <functional>
#include <vector>

namespace ic::lease {

/// Workers that were idle when they were last heard. Hearsay: it only ever spares a message.
class IdleWorkers {
public:
    using Suits = std::function<bool(const job::Advert&)>;

    virtual ~IdleWorkers() = default;

    /// Up to `count` of them that suit, those that the job's announcement would call first. Each
    /// is given once, and not again until it is heard again. Threads: that of the coordinator.
    virtual std::vector<job::Instance>
    take(const Cid& job, const Suits& suits, std::size_t count, Instant now) = 0;
};

} // namespace ic::lease
