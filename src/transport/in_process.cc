#include "transport/in_process.h"

#include <cassert>
#include <utility>

namespace ic::transport {
namespace {

bool meet(const Peer& one, const Peer& other) {
    return one.instance != other.instance &&
           (one.kind == PeerKind::node || other.kind == PeerKind::node);
}

} // namespace

class InProcessNetwork::Member final : public Transport {
public:
    Member(InProcessNetwork& network, Peer self, Events events)
        : network_(network)
        , self_(std::move(self))
        , events_(std::move(events)) {}

    ~Member() override { network_.leave(self_); }

    void send(const job::Instance& to, const job::Message& message) override {
        network_.deliver(self_, to, message);
    }

    void announce(const job::Message& message) override {
        for (const Peer& peer : peers()) {
            if (peer.kind == PeerKind::node) {
                network_.deliver(self_, peer.instance, message);
            }
        }
    }

    std::vector<Peer> peers() const override {
        std::vector<Peer> all;
        for (const auto& [instance, member] : network_.members_) {
            if (meet(self_, member->self_)) {
                all.push_back(member->self_);
            }
        }
        return all;
    }

    const Peer& self() const { return self_; }

    const Events& events() const { return events_; }

private:
    InProcessNetwork& network_;
    const Peer self_;
    const Events events_;
};

InProcessNetwork::InProcessNetwork(std::function<void(std::function<void()>)> post)
    : post_(std::move(post)) {}

InProcessNetwork::~InProcessNetwork() {
    assert(members_.empty());
    *alive_ = false;
}

std::unique_ptr<Transport> InProcessNetwork::join(const Peer& self, Events events) {
    auto member = std::make_unique<Member>(*this, self, std::move(events));
    for (const auto& [instance, other] : members_) {
        if (!meet(self, other->self())) {
            continue;
        }
        // Both are told, if both are still there by then.
        const auto tell = [this](const job::Instance& whom, const Peer& of) {
            post_([this, alive = alive_, whom, of] {
                if (!*alive || !members_.contains(whom) || !members_.contains(of.instance)) {
                    return;
                }
                if (const Events& heard = members_.at(whom)->events(); heard.on_peer) {
                    heard.on_peer(of);
                }
            });
        };
        tell(instance, self);
        tell(self.instance, other->self());
    }
    const bool is_new = members_.emplace(self.instance, member.get()).second;
    assert(is_new);
    (void)is_new;
    return member;
}

void InProcessNetwork::deliver(const Peer& from,
                               const job::Instance& to,
                               const job::Message& message) {
    post_([this, alive = alive_, from, to, bytes = job::encode(message)] {
        if (!*alive) {
            return;
        }
        const auto found = members_.find(to);
        Result<job::Message> decoded = job::decode(bytes);
        if (found != members_.end() && decoded && found->second->events().on_message) {
            found->second->events().on_message(from, std::move(decoded).take());
        }
    });
}

void InProcessNetwork::leave(const Peer& peer) {
    members_.erase(peer.instance);
    const Fate fate = peer.kind == PeerKind::node ? Fate::dead : Fate::silent;
    for (const auto& [instance, other] : members_) {
        if (!meet(peer, other->self())) {
            continue;
        }
        post_([this, alive = alive_, whom = instance, peer, fate] {
            if (!*alive) {
                return;
            }
            const auto found = members_.find(whom);
            if (found != members_.end() && found->second->events().on_gone) {
                found->second->events().on_gone(peer, fate);
            }
        });
    }
}

} // namespace ic::transport
