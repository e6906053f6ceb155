#pragma once
/// What every way between nodes must do, as tests that each transport runs.

#include "identity/key.h"
#include "job/ids.h"
#include "transport/transport.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ic::testing_transport {

using transport::Events;
using transport::Fate;
using transport::Peer;
using transport::PeerKind;
using transport::Transport;

/// What transports differ in. Of suites for a promise those are instantiated whose promise is made.
struct Promises {
    bool has_peers = true;      ///< Who is there: on_peer, on_gone, `peers`.
    bool has_clients = false;   ///< Beside nodes.
    bool tells_death = false;   ///< A node that ends is dead; else silent.
    bool cuts_off = false;      ///< A peer that does not read is gone in the end.
    bool meets_unasked = false; ///< Nodes meet without anything being sent.
    bool may_lose = false;      ///< Also while nothing fails: who must be heard says it again.
};

/// All that has happened to one member.
struct Seen {
    std::vector<Peer> met;
    std::vector<std::pair<Peer, Fate>> gone;
    std::vector<std::pair<Peer, job::Message>> messages;
    bool calling = false;     ///< The test is inside a call of the transport.
    bool was_entered = false; ///< An event came during one.
    /// What this member does when it hears something, from within the event. May be empty.
    std::function<void(const Peer&, const job::Message&)> reply;

    Events events();
};

/// A node or client that has joined. Leaves when it goes.
class Member {
public:
    virtual ~Member() = default;
    virtual Transport& way() = 0;
    /// What the others are to know of it; its key is one that they see proven, or told by who can.
    virtual Peer self() const = 0;

    // As those of the transport, with an eye on events that come too early.
    void send(const job::Instance& to, const job::Message& message);
    void announce(const job::Message& message);
    std::vector<Peer> peers();

    Seen seen;
};

/// A place in which members meet. Outlives them.
class World {
public:
    virtual ~World() = default;
    virtual Promises promises() const = 0;
    /// `number` is another one for each member that is there: of its instance, and of its key.
    virtual std::unique_ptr<Member> join(std::uint8_t number, PeerKind kind) = 0;
    /// Lets happen what is due: some milliseconds at most.
    virtual void turn() = 0;
    /// This member does nothing more, not even read; asked for only where `cuts_off`.
    virtual void stall(Member& member);

    /// Turns until it holds. Generous: whether it happens at all is what counts.
    bool until(const std::function<bool()>& holds);
    /// Turns for a while in which nothing is expected.
    void settle();
};

using MakeWorld = std::unique_ptr<World> (*)();

/// The suite's parameter. In the contract's own source, so that the linker brings the tests along.
std::vector<MakeWorld> contract_on(MakeWorld make);

/// A short message, another for another number.
job::Message numbered(std::uint64_t number);
/// As many leases as a message may name, of the longest names that there are: no kind has more.
job::Message largest();

/// INSTANTIATE_TEST_SUITE_P(Name, TransportContract, testing::ValuesIn(contract_on(&make))), and
/// the suites below it of what is promised, under the same name: a test looks for them.
class TransportContract : public testing::TestWithParam<MakeWorld> {
protected:
    std::unique_ptr<Member> node(std::uint8_t number) {
        return world_->join(number, PeerKind::node);
    }

    /// Says it, again and again where it may be lost, until it holds.
    bool say_until(const std::function<void()>& say, const std::function<bool()>& holds);

    /// What came to a member; once only and in no order where it may have been said again.
    std::vector<job::Message> heard(const Member& member) const;
    std::vector<job::Message> as_heard(std::vector<job::Message> said) const;

    /// Has each of two nodes able to say something to the other; what was said for it is forgotten.
    void introduce(Member& one, Member& other);

    std::unique_ptr<World> world_ = GetParam()();
    const Promises promises_ = world_->promises();
};

/// For transports with `has_peers`.
class PeersContract : public TransportContract {};
/// For those with `has_clients`.
class ClientsContract : public TransportContract {};
/// For those with `cuts_off`.
class CutsOffContract : public TransportContract {};

} // namespace ic::testing_transport
