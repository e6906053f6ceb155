#pragma once
/// `routing/...`: who has a block, and where a peer is.

#include "base/result.h"
#include "kubo/rpc.h"
#include "multiformats/cid.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace ic::kubo {

struct PeerAddresses {
    std::string peer_id;
    std::vector<std::string> addresses; ///< Multiaddrs without /p2p/...; may be empty.
};

/// `routing/provide`: tells the network that this Kubo has the block.
/// Errors beside those of Rpc: unavailable if Kubo has no peer to tell, or not the block.
Result<void>
routing_provide(Rpc& rpc, const Cid& cid, std::chrono::milliseconds time_max, Stop stop = {});

struct ProviderSearch {
    std::size_t providers_max = 20;
    std::chrono::milliseconds time_max{10'000};
};

/// `routing/findprovs`: who says that they have the block, each once; none if nobody is found in
/// time.
Result<std::vector<PeerAddresses>>
routing_find_providers(Rpc& rpc, const Cid& cid, const ProviderSearch& search, Stop stop = {});

/// `routing/findpeer`. Errors beside those of Rpc: not_found.
Result<PeerAddresses> routing_find_peer(Rpc& rpc,
                                        const std::string& peer_id,
                                        std::chrono::milliseconds time_max,
                                        Stop stop = {});

} // namespace ic::kubo
