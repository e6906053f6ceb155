#pragma once
/// Transport: how coordinators, workers and clients reach one another. Truth lives in documents and
/// ledgers; what goes through here are hints that may be lost, doubled, late or out of order.

#include "base/result.h"
#include "job/message.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ic::transport {

/// What another process is to us.
enum class PeerKind : std::uint8_t {
    node,   ///< Coordinates and runs (a worker, a gateway, a submit that is alone).
    client, ///< Submits, watches, cancels.
};

/// A peer as the transport names it: a node by its instance, a client by one made up for it.
struct Peer {
    job::Instance instance;
    PeerKind kind = PeerKind::node;
    PublicKey key; ///< Its node's key, as far as the session proved it.
    bool same_user =
        false;        ///< The kernel says so (SO_PEERCRED): its documents need no second look.
    std::string name; ///< For people: "worker 4711".
};

/// How a peer went. `dead` is proof (the kernel closed the last descriptor that its broker and all
/// its executors held): nothing of it runs any more. `silent` is only the loss of a connection.
enum class Fate : std::uint8_t { silent, dead };

/// What happens on a transport. Called on the event loop's thread.
struct Events {
    std::function<void(const Peer&)> on_peer;
    std::function<void(const Peer&, Fate)> on_gone;
    std::function<void(const Peer&, job::Message)> on_message;
};

/// Threads: all calls on the event loop's thread.
class Transport {
public:
    virtual ~Transport() = default;

    /// Queues one message for a peer; no promise that it arrives. A peer that does not read is cut
    /// off (on_gone) rather than queued for without bound.
    virtual void send(const job::Instance& to, const job::Message& message) = 0;

    /// To every node that can be reached.
    virtual void announce(const job::Message& message) = 0;

    virtual std::vector<Peer> peers() const = 0;
};

} // namespace ic::transport
