#pragma once
/// InProcessNetwork: transports whose peers are all in this process: for `run`, and for tests of
/// what stands above a transport.

#include "transport/transport.h"

#include <functional>
#include <map>
#include <memory>

namespace ic::transport {

/// Messages pass through their encoding, so that what arrives is what another process would get.
/// Threads: the one on which posted work is done. Lifetime: longer than its transports.
class InProcessNetwork {
public:
    /// `post` has work done later, on the same thread, in order (an event loop's).
    explicit InProcessNetwork(std::function<void(std::function<void()>)> post);
    InProcessNetwork(const InProcessNetwork&) = delete;
    InProcessNetwork& operator=(const InProcessNetwork&) = delete;
    ~InProcessNetwork();

    /// Nodes meet all others, clients meet nodes. When the transport goes, the others are told:
    /// dead for a node, silent for a client. Requires: nobody here has this instance.
    std::unique_ptr<Transport> join(const Peer& self, Events events);

private:
    class Member;

    void deliver(const Peer& from, const job::Instance& to, const job::Message& message);
    void leave(const Peer& peer);

    std::function<void(std::function<void()>)> post_;
    std::map<job::Instance, Member*> members_;
    /// What posted work looks at first: this object may be gone by then.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace ic::transport
