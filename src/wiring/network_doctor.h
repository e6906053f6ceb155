#pragma once
/// What `doctor` looks at where nodes of several machines are connected through a Kubo.

#include "base/result.h"
#include "kubo/node.h"
#include "wiring/doctor.h"
#include "wiring/network.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ic::wiring {

/// What is known of this home.
struct HomeFacts {
    std::size_t trusted_others = 0; ///< Keys beside its own.
    bool has_nodes = false;         ///< Some run, and hold what would be tried.
};

/// Looks at the Kubo, what its token allows, pubsub and who is on our topic, streams, the lock of
/// those who publish, and where links would be taken, in this order. Without a Kubo that answers,
/// at the last alone. Asks nothing that changes that Kubo. Blocks, for a few seconds at most.
std::vector<Check> examine_network(const NetworkOptions& options, const HomeFacts& home);

// --- the judgements, without looking -------------------------------------------------------------

/// `version` as Kubo says it. One that was not tried with this program warns.
Check judge_kubo_version(std::string_view version, const std::string& where);

/// What `version` failed with.
Check judge_kubo_silence(const Error& error);

/// Who else listens to our topic, as Kubo says it, and how many other keys are trusted.
Check judge_pubsub(const Result<std::vector<std::string>>& peers, std::size_t trusted_others);

Check judge_streams(const Result<kubo::NodeConfig>& config);

/// The commands that were refused, of those that a node calls.
Check judge_token(const std::vector<std::string>& refused);

/// The URLs that others would be told.
Check judge_links(const std::vector<std::string>& urls);

} // namespace ic::wiring
