#include "wiring/kubo_dialler.h"

#include "base/time.h"
#include "kubo/node.h"
#include "wiring/providers.h"

#include <optional>
#include <utility>

namespace ic::wiring {

KuboDialler::KuboDialler(net::EventLoop& loop, kubo::Rpc& rpc, const RedialTiming& timing)
    : loop_(loop)
    , rpc_(rpc)
    , redial_(timing) {}

KuboDialler::~KuboDialler() {
    *alive_ = false;
    loop_.cancel(timer_);
}

void KuboDialler::keep_connected(std::vector<std::vector<std::string>> peers) {
    redial_.replace(std::move(peers), now_since_boot());
    go_on();
}

void KuboDialler::go_on() {
    loop_.cancel(timer_);
    if (dialling_) {
        return;
    }
    const std::optional<Redial::Due> due = redial_.take(now_since_boot());
    if (!due) {
        if (redial_.next() != Instant::never()) {
            timer_ = loop_.at(redial_.next(), [this] { go_on(); });
        }
        return;
    }
    // With one question at a time the asker always has room.
    dialling_ = asker_.ask([this, due = *due, is_alive = alive_] {
        const bool connected =
            kubo::swarm_connect(rpc_, due.addresses, limits::dial_time_max, [this] {
                return asker_.is_ending()
                           ? std::optional(Error{Errc::cancelled, "this process is ending"})
                           : std::nullopt;
            }).ok();
        loop_.post([this, due, is_alive, connected] {
            if (*is_alive) {
                dialled(due, connected ? Redial::Outcome::connected : Redial::Outcome::failed);
            }
        });
    });
}

void KuboDialler::dialled(const Redial::Due& due, Redial::Outcome outcome) {
    dialling_ = false;
    redial_.dialled(due.peer, outcome, now_since_boot(), rpc_.random());
    go_on();
}

} // namespace ic::wiring
