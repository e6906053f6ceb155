#pragma once
/// Network: who is there, and when and whether a broadcast arrives, computed for any one node
/// without a look at the others. 8 bytes a node.

#include "lease/rendezvous.h"
#include "simulation/chance.h"
#include "simulation/options.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace ic::simulation {

using Us = std::int64_t; ///< Virtual time, microseconds since the simulation began.

/// A node between coming and going: its process.
struct Life {
    std::uint64_t number = 0;
    bool is_here = true;
    Us until = 0; ///< Its end, or (not here) the beginning of the next one.
};

class Network {
public:
    Network(const Options& options, const Chance& chance);

    PublicKey key_of(std::uint32_t node) const;

    Life life_of(std::uint32_t node, Us at) const;
    bool is_busy(std::uint32_t node) const;

    /// When a node gets a broadcast, named by a number, that is sent at this time; nothing if it is
    /// lost, or the node is not there then.
    std::optional<Us> arrival(std::uint32_t node, std::uint64_t broadcast, Us sent) const;

    bool is_doubled(std::uint32_t node, std::uint64_t broadcast) const;

    /// The longest that a broadcast is on its way.
    Us broadcast_us_max() const;

    /// How often a broadcast is sent over a link: from its origin to each of its mesh, and from
    /// every node that is reached to its mesh but for the one it had it from.
    std::uint64_t copies() const;

    /// Nodes whose score for the job is not above the threshold, in order.
    std::vector<std::uint32_t> called(std::uint64_t job_bits, std::uint64_t threshold) const;

private:
    std::uint32_t depth_of(std::uint32_t node, std::uint64_t broadcast) const;

    const Options& options_;
    const Chance& chance_;
    std::vector<std::uint64_t> bits_; ///< Of each node's key, as the score takes them.
    std::vector<double> within_;      ///< Share of nodes that are at most that many links away.
    Us cycle_ = 0;                    ///< From coming to coming; 0: nobody goes.
    Us away_ = 0;
};

} // namespace ic::simulation
