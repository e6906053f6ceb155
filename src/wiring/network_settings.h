#pragma once
/// What the settings say of the network.

#include "base/result.h"
#include "config/home.h"
#include "config/settings.h"
#include "identity/key.h"
#include "kubo/rpc.h"
#include "metrics/registry.h"
#include "wiring/network.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ic::wiring {

/// Nothing if `ipfs` is `embedded`. Errors: usage, malformed: settings that do not fit together.
Result<std::optional<NetworkOptions>> network_options(const config::Settings& settings,
                                                      const std::vector<PublicKey>& trusted);

/// The URLs that others are told of a node that listens at `port` (0: nowhere): what the settings
/// say, else the addresses of this machine.
std::vector<std::string> advertised_urls(const NetworkOptions& options, std::uint16_t port);

/// The Kubo that results and inputs are handed to, which is the network's; null if there is none.
/// Errors: as kubo::Rpc::open.
Result<std::unique_ptr<kubo::Rpc>> open_kubo(const std::optional<NetworkOptions>& network);

/// Counts requests to a Kubo, and whether it is asked; empty if nobody counts. Lifetime: as
/// `counts`.
std::function<void(const kubo::Attempt&)> counting(metrics::Registry* counts);

} // namespace ic::wiring
