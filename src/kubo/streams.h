#pragma once
/// `p2p/...`: TCP services tunnelled over a Kubo's libp2p streams, by peer ID and protocol. Nothing
/// is lost on the way, unlike on pubsub. A Kubo with Experimental.Libp2pStreamMounting.
/// Source: Kubo 0.43, docs/p2p-tunnels.md. Errors beside those of Rpc: unsupported where it is off.

#include "base/result.h"
#include "kubo/rpc.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ic::kubo {

struct StreamTunnel {
    std::string protocol{}; ///< "/x/NAME".
    std::string listen{}; ///< A multiaddr: of this machine for a forward, /p2p/OURS for a listener.
    std::string target{}; ///< The other way round.

    friend bool operator==(const StreamTunnel&, const StreamTunnel&) = default;
};

/// `p2p/listen`: what peers open as `protocol` is connected to `target`, such as
/// /ip4/127.0.0.1/tcp/PORT. Ends with that Kubo, or by `streams_close`.
Result<void> streams_listen(Rpc& rpc, const std::string& protocol, const std::string& target);

/// `p2p/forward`: what connects to `listen` (a port that is not 0) is taken to `target`,
/// /p2p/PEER.
Result<void> streams_forward(Rpc& rpc, const StreamTunnel& tunnel);

/// `p2p/close`: all tunnels that have these parts (an empty one: any; one must be given). How many.
Result<std::uint64_t> streams_close(Rpc& rpc, const StreamTunnel& parts);

/// `p2p/ls`.
Result<std::vector<StreamTunnel>> streams_list(Rpc& rpc);

} // namespace ic::kubo
