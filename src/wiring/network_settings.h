#pragma once
/// What the settings say of the network.

#include "base/result.h"
#include "config/home.h"
#include "config/settings.h"
#include "identity/key.h"
#include "kubo/rpc.h"
#include "wiring/network.h"

#include <memory>
#include <optional>
#include <vector>

namespace ic::wiring {

/// Nothing if `ipfs` is `embedded`. Errors: usage, malformed: settings that do not fit together.
Result<std::optional<NetworkOptions>> network_options(const config::Settings& settings,
                                                      const std::vector<PublicKey>& trusted);

/// The Kubo that results and inputs are handed to; null if `ipfs` is `embedded`. Errors: as above.
Result<std::unique_ptr<kubo::Rpc>> open_kubo(const config::Settings& settings);

} // namespace ic::wiring
