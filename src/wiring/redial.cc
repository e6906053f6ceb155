#include "wiring/redial.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace ic::wiring {

void Redial::replace(std::vector<std::vector<std::string>> peers, Instant now) {
    std::vector<Peer> replaced;
    for (std::vector<std::string>& addresses : peers) {
        if (addresses.empty()) {
            continue;
        }
        const auto same = std::ranges::find(peers_, addresses, &Peer::addresses);
        if (same == peers_.end()) {
            replaced.push_back(
                {.number = next_number_++, .addresses = std::move(addresses), .at = now});
        } else {
            replaced.push_back(std::move(*same));
            peers_.erase(same);
        }
    }
    peers_ = std::move(replaced);
}

void Redial::start_over(Instant now) {
    for (Peer& peer : peers_) {
        peer.at = now;
        peer.pause = std::chrono::milliseconds(0);
    }
}

std::optional<Redial::Due> Redial::take(Instant now) {
    Peer* longest = nullptr;
    for (Peer& peer : peers_) {
        if (!peer.dialling && peer.at <= now && (longest == nullptr || peer.at < longest->at)) {
            longest = &peer;
        }
    }
    if (longest == nullptr) {
        return std::nullopt;
    }
    longest->dialling = true;
    return Due{.peer = longest->number, .addresses = longest->addresses};
}

void Redial::dialled(std::uint64_t peer, Outcome outcome, Instant now, std::uint64_t random) {
    const auto found = std::ranges::find(peers_, peer, &Peer::number);
    if (found == peers_.end()) {
        return;
    }
    Peer& one = *found;
    assert(one.dialling);
    one.dialling = false;
    std::chrono::milliseconds pause = timing_.connected;
    if (outcome == Outcome::connected) {
        one.pause = std::chrono::milliseconds(0);
    } else {
        one.pause =
            one.pause.count() == 0 ? timing_.first : std::min(one.pause * 2, timing_.longest);
        pause = one.pause;
    }
    const auto less = static_cast<std::uint64_t>(pause.count() / 4 + 1);
    one.at = now + (pause - std::chrono::milliseconds(random % less));
}

Instant Redial::next() const {
    Instant next = Instant::never();
    for (const Peer& peer : peers_) {
        if (!peer.dialling) {
            next = std::min(next, peer.at);
        }
    }
    return next;
}

} // namespace ic::wiring
