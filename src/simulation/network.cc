#include "simulation/network.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ic::simulation {
namespace {

/// How long a node that went stays away.
constexpr Us away_us = 10'000'000;
constexpr double minute_us = 60'000'000;

} // namespace

Network::Network(const Options& options, const Chance& chance)
    : options_(options)
    , chance_(chance) {
    bits_.reserve(options.nodes);
    for (std::uint32_t node = 0; node < options.nodes; ++node) {
        bits_.push_back(chance.bits(Draw::key, {node}));
    }
    const double nodes = options.nodes;
    double reached = 0;
    double ring = std::min<double>(options.mesh, nodes);
    while (reached < nodes) {
        reached += ring;
        within_.push_back(std::min(1.0, reached / nodes));
        ring = std::max(1.0, ring * (options.mesh - 1.0));
    }
    if (options.churn > 0) {
        cycle_ = static_cast<Us>(minute_us / options.churn);
        away_ = std::min(away_us, cycle_ / 2);
    }
}

PublicKey Network::key_of(std::uint32_t node) const {
    PublicKey key;
    for (std::size_t i = 0; i < 8; ++i) {
        key.bytes[31 - i] = static_cast<std::uint8_t>(bits_[node] >> (8 * i));
    }
    for (std::size_t i = 0; i < 4; ++i) {
        key.bytes[i] = static_cast<std::uint8_t>(node >> (8 * i));
    }
    return key;
}

Life Network::life_of(std::uint32_t node, Us at) const {
    if (cycle_ == 0) {
        return {.number = 0, .is_here = true, .until = std::numeric_limits<Us>::max()};
    }
    const auto phase =
        static_cast<Us>(chance_.bits(Draw::phase, {node}) % static_cast<std::uint64_t>(cycle_));
    const Us since = (at + phase) % cycle_;
    const bool is_here = since < cycle_ - away_;
    return {.number = static_cast<std::uint64_t>((at + phase) / cycle_),
            .is_here = is_here,
            .until = at - since + (is_here ? cycle_ - away_ : cycle_)};
}

bool Network::is_busy(std::uint32_t node) const {
    return options_.busy > 0 && chance_.share(Draw::busy, {node}) < options_.busy;
}

/// Every broadcast grows its own tree, in which a node may be anywhere.
std::uint32_t Network::depth_of(std::uint32_t node, std::uint64_t broadcast) const {
    const double place = chance_.share(Draw::depth, {broadcast, node});
    const auto at = std::upper_bound(within_.begin(), within_.end(), place);
    return static_cast<std::uint32_t>(at - within_.begin()) + 1;
}

std::optional<Us> Network::arrival(std::uint32_t node, std::uint64_t broadcast, Us sent) const {
    if (options_.loss > 0 &&
        chance_.share(Draw::broadcast_lost, {broadcast, node}) < options_.loss) {
        return std::nullopt;
    }
    const Us link = std::chrono::microseconds{options_.delay}.count();
    Us at = sent;
    for (std::uint32_t i = depth_of(node, broadcast); i > 0; --i) {
        at += chance_.around(link, Draw::broadcast_delay, {broadcast, node, i});
    }
    return life_of(node, at).is_here ? std::optional(at) : std::nullopt;
}

bool Network::is_doubled(std::uint32_t node, std::uint64_t broadcast) const {
    return options_.doubling > 0 &&
           chance_.share(Draw::broadcast_doubled, {broadcast, node}) < options_.doubling;
}

Us Network::broadcast_us_max() const {
    const auto links = static_cast<Us>(within_.size());
    return links * std::chrono::microseconds{options_.delay}.count() * 3 / 2;
}

std::uint64_t Network::copies() const {
    const double here =
        cycle_ == 0 ? 1 : static_cast<double>(cycle_ - away_) / static_cast<double>(cycle_);
    const auto others =
        static_cast<std::uint64_t>(std::llround(here * options_.nodes) + options_.coordinators - 1);
    const std::uint64_t degree = std::min<std::uint64_t>(options_.mesh, others);
    return degree == 0 ? 0 : degree + others * (degree - 1);
}

std::vector<std::uint32_t> Network::called(std::uint64_t job_bits, std::uint64_t threshold) const {
    std::vector<std::uint32_t> found;
    for (std::uint32_t node = 0; node < bits_.size(); ++node) {
        if (lease::rendezvous_score(job_bits, bits_[node]) <= threshold) {
            found.push_back(node);
        }
    }
    return found;
}

} // namespace ic::simulation
