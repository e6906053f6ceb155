#include "wiring/kubo_dialler.h"

#include "base/time.h"
#include "kubo/node.h"

#include <optional>
#include <utility>

namespace ic::wiring {

KuboDialler::KuboDialler(net::EventLoop& loop, kubo::Rpc& rpc, const KuboDiallerOptions& options)
    : loop_(loop)
    , rpc_(rpc)
    , dial_time_max_(options.dial_time_max)
    , redial_(options.redial) {}

KuboDialler::~KuboDialler() {
    *alive_ = false;
    loop_.cancel(timer_);
    ending_ = true; // All at once: then no asker's end waits for another's.
}

void KuboDialler::keep_connected(std::vector<std::vector<std::string>> peers) {
    redial_.replace(std::move(peers), now_since_boot());
    go_on();
}

void KuboDialler::start_over() {
    redial_.start_over(now_since_boot());
    go_on();
}

void KuboDialler::go_on() {
    loop_.cancel(timer_);
    while (!free_.empty() || askers_.size() < limits::kubo_dials_at_once_max) {
        const std::optional<Redial::Due> due = redial_.take(now_since_boot());
        if (!due) {
            if (redial_.next() != Instant::never()) {
                timer_ = loop_.at(redial_.next(), [this] { go_on(); });
            }
            return;
        }
        dial(*due);
    }
}

void KuboDialler::dial(const Redial::Due& due) {
    Asker& asker = free_asker();
    // One question at a time is put to each asker: it always has room.
    asker.ask([this, due, &asker, is_alive = alive_] {
        const Redial::Outcome outcome = connect(due.addresses);
        loop_.post([this, peer = due.peer, &asker, is_alive, outcome] {
            if (*is_alive) {
                free_.push_back(&asker);
                redial_.dialled(peer, outcome, now_since_boot(), rpc_.random());
                go_on();
            }
        });
    });
}

/// Requires: one is free, or there are fewer than may be.
Asker& KuboDialler::free_asker() {
    if (free_.empty()) {
        return *askers_.emplace_back(std::make_unique<Asker>());
    }
    Asker* const asker = free_.back();
    free_.pop_back();
    return *asker;
}

/// On an asker's thread.
Redial::Outcome KuboDialler::connect(const std::vector<std::string>& addresses) const {
    const auto stop = [this]() -> std::optional<Error> {
        return ending_ ? std::optional(Error{Errc::cancelled, "this process is ending"})
                       : std::nullopt;
    };
    return kubo::swarm_connect(rpc_, addresses, dial_time_max_, stop).ok()
               ? Redial::Outcome::connected
               : Redial::Outcome::failed;
}

} // namespace ic::wiring
