#pragma once
/// Who a Kubo node is, how it is set, and whom it is connected to. Errors: those of Rpc.

#include "base/result.h"
#include "kubo/rpc.h"

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace ic::kubo {

struct NodeId {
    std::string peer_id;
    std::vector<std::string> addresses; ///< Multiaddrs; empty while it is offline.
    std::string agent_version;          ///< "kubo/0.43.0/"; empty if it does not say.
};

/// `id`.
Result<NodeId> id(Rpc& rpc, Stop stop = {});

/// `version`: "0.43.0".
Result<std::string> version(Rpc& rpc);

/// Of its config, Addresses.Gateway alone: multiaddrs. Needs /api/v0/config as `node_config` does.
Result<std::vector<std::string>> gateway_addresses(Rpc& rpc, Stop stop = {});

/// What of a node's config decides what can be done with it.
struct NodeConfig {
    std::vector<std::string> gateways; ///< Addresses.Gateway: multiaddrs.
    bool has_pubsub = false;           ///< Pubsub.Enabled.
    bool has_streams = false;          ///< Experimental.Libp2pStreamMounting: `p2p/...` works.
};

/// `config`, once a key; one that is not set counts as Kubo's default (off). Needs
/// /api/v0/config among the AllowedPaths of a token.
Result<NodeConfig> node_config(Rpc& rpc);

/// `swarm/connect`: to the peer of multiaddrs that end in /p2p/PEER, by whichever works. Errors:
/// unavailable if none does in time.
Result<void> swarm_connect(Rpc& rpc,
                           std::span<const std::string> addresses,
                           std::chrono::milliseconds time_max,
                           Stop stop = {});

struct ConnectedPeer {
    std::string peer_id;
    std::string address;
};

/// `swarm/peers`.
Result<std::vector<ConnectedPeer>> swarm_peers(Rpc& rpc);

} // namespace ic::kubo
