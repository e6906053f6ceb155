#include "wiring/announcer.h"

#include "kubo/routing.h"

#include <algorithm>
#include <optional>

namespace ic::wiring {

Announcer::Announcer(kubo::Rpc& rpc, AnnouncerOptions options)
    : rpc_(rpc)
    , options_(options)
    , thread_([this] { run(); }) {}

Announcer::~Announcer() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Announcer::add(std::span<const Cid> cids) { add(cids, Place::next); }

void Announcer::add_behind(std::span<const Cid> cids) { add(cids, Place::behind); }

void Announcer::add(std::span<const Cid> cids, Place place) {
    const std::lock_guard lock(mutex_);
    for (const Cid& cid : cids) {
        if (cid.hash() == HashCode::identity ||
            std::ranges::find(waiting_, cid) != waiting_.end()) {
            continue;
        }
        if (place == Place::next) {
            waiting_.push_back(cid);
        } else {
            waiting_.push_front(cid);
        }
        if (waiting_.size() > limits::provides_waiting_max) {
            waiting_.pop_front();
            ++counts_.dropped;
        }
    }
    changed_.notify_all();
}

bool Announcer::provide(const Cid& cid) {
    return kubo::routing_provide(
               rpc_,
               cid,
               options_.provide_time_max,
               [this]() -> std::optional<Error> {
                   const std::lock_guard lock(mutex_);
                   return ending_ ? std::optional(Error{Errc::cancelled, "this process is ending"})
                                  : std::nullopt;
               })
        .ok();
}

void Announcer::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
        if (ending_) {
            return;
        }
        const Cid cid = waiting_.back();
        waiting_.pop_back();
        lock.unlock();
        const bool is_provided = provide(cid);
        lock.lock();
        ++(is_provided ? counts_.provided : counts_.failed);
        changed_.wait_for(lock, is_provided ? options_.provide_every : options_.rest_time, [this] {
            return ending_;
        });
    }
}

Announcer::Counts Announcer::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

} // namespace ic::wiring
