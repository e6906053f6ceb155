#pragma once
/// Local: what a command finds in its home: settings, key, store, and whom it trusts.

#include "base/result.h"
#include "blockstore/blockstore.h"
#include "cli/context.h"
#include "cli/submission.h"
#include "config/home.h"
#include "config/settings.h"
#include "identity/key.h"
#include "unixfs/profile.h"
#include "wiring/network_settings.h"
#include "wiring/stores.h"
#include "worker/broker_host.h"

#include <memory>
#include <optional>
#include <vector>

namespace ic::cli {

/// Opened as a whole; commands that need less open less.
struct Local {
    config::Home home;
    config::Settings settings;
    PrivateKey key;
    std::vector<PublicKey> trusted; ///< Whose jobs run here: one's own key is in.
    std::unique_ptr<wiring::Stores> stores;
    unixfs::Profile profile;
    std::optional<wiring::NetworkOptions> network; ///< Nothing: this machine alone.
    std::unique_ptr<kubo::Rpc> kubo;               ///< Null then.

    /// What is on this machine.
    BlockStore& store() const { return stores->local(); }

    /// That, and a Kubo behind it where one answers.
    BlockSource& source() const { return stores->blocks(); }

    /// What runs read from, each its own; empty where that is `source`. Lifetime: as this.
    worker::OpenReader open_reader() const;
};

/// Errors: of the home, the key, the store and the settings.
Result<std::unique_ptr<Local>> open_local(Context& context);

/// What a submission needs of it. Lifetime: as `local`.
SubmissionParts parts_of(const Local& local);

} // namespace ic::cli
