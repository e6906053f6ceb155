#include "transport/testing/faulty_transport.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace ic::testing_transport {

using transport::Fate;
using transport::Peer;

namespace {

std::optional<Peer> find(const std::vector<Peer>& peers, const job::Instance& instance) {
    const auto at = std::ranges::find(peers, instance, &Peer::instance);
    return at == peers.end() ? std::nullopt : std::optional{*at};
}

} // namespace

FaultyTransport::FaultyTransport(FaultyOptions options, transport::Events heard)
    : options_(std::move(options))
    , heard_(std::move(heard))
    , random_(options_.seed) {}

FaultyTransport::~FaultyTransport() { *alive_ = false; }

transport::Events FaultyTransport::events() {
    return {.on_peer =
                [this](const Peer& peer) {
                    if (heard_.on_peer && !away_.contains(peer.instance)) {
                        heard_.on_peer(peer);
                    }
                },
            .on_gone =
                [this](const Peer& peer, Fate fate) {
                    // Of one that is away it was said already that it is silent.
                    const bool was_away = away_.erase(peer.instance) > 0;
                    if (heard_.on_gone && (!was_away || fate == Fate::dead)) {
                        heard_.on_gone(peer, fate);
                    }
                },
            .on_message =
                [this](const Peer& peer, job::Message message) {
                    if (heard_.on_message && !away_.contains(peer.instance)) {
                        heard_.on_message(peer, std::move(message));
                    }
                }};
}

/// Draws even if it cannot happen, so that another share elsewhere leaves the rest as it was.
bool FaultyTransport::happens(double share) {
    constexpr double all = 18446744073709551616.0; // 2^64
    return static_cast<double>(random_()) / all < share;
}

void FaultyTransport::after(std::chrono::milliseconds delay, std::function<void()> work) {
    options_.after(delay, [is_alive = alive_, work = std::move(work)] {
        if (*is_alive) {
            work();
        }
    });
}

void FaultyTransport::pass(const job::Message& message,
                           const std::function<void(const job::Message&)>& on) {
    const Faults& faults = options_.faults;
    ++counters_.sent;
    const bool is_dropped = happens(faults.dropped);
    const bool is_corrupt = happens(faults.corrupt);
    const bool is_doubled = happens(faults.doubled);
    if (is_dropped) {
        ++counters_.dropped;
        return;
    }
    if (is_corrupt) {
        ++counters_.corrupt;
        Bytes bytes = job::encode(message);
        bytes[random_() % bytes.size()] ^= static_cast<std::uint8_t>(1 + random_() % 255);
        // Whatever it reads as: sockets and sessions would have noticed.
        static_cast<void>(job::decode(bytes));
        return;
    }
    counters_.doubled += is_doubled ? 1 : 0;
    for (int copy = 0; copy < (is_doubled ? 2 : 1); ++copy) {
        const bool is_late = happens(faults.late);
        const std::uint64_t by =
            random_() % static_cast<std::uint64_t>(faults.late_max.count() + 1);
        if (is_late) {
            ++counters_.late;
            after(std::chrono::milliseconds(by), [on, message] { on(message); });
        } else {
            on(message);
        }
    }
}

void FaultyTransport::send(const job::Instance& to, const job::Message& message) {
    if (happens(options_.faults.disconnecting)) {
        disconnect(to);
    }
    pass(message, [this, to](const job::Message& one) {
        if (!away_.contains(to)) {
            inner_->send(to, one);
        }
    });
}

void FaultyTransport::announce(const job::Message& message) {
    pass(message, [this](const job::Message& one) {
        if (away_.empty()) {
            inner_->announce(one);
            return;
        }
        for (const Peer& peer : peers()) {
            if (peer.kind == transport::PeerKind::node) {
                inner_->send(peer.instance, one);
            }
        }
    });
}

std::vector<Peer> FaultyTransport::peers() const {
    std::vector<Peer> all = inner_->peers();
    std::erase_if(all, [this](const Peer& peer) { return away_.contains(peer.instance); });
    return all;
}

void FaultyTransport::disconnect(const job::Instance& instance) {
    const std::optional<Peer> peer = find(peers(), instance);
    if (!peer) {
        return;
    }
    ++counters_.disconnected;
    away_.insert(instance);
    after({}, [this, peer = *peer] {
        if (heard_.on_gone && away_.contains(peer.instance)) {
            heard_.on_gone(peer, Fate::silent);
        }
    });
    after(options_.faults.away, [this, instance] {
        const std::optional<Peer> back = find(inner_->peers(), instance);
        if (away_.erase(instance) > 0 && back && heard_.on_peer) {
            heard_.on_peer(*back);
        }
    });
}

} // namespace ic::testing_transport
