#pragma once
/// Whom a node trusts, and how it notices that this has changed.

#include "base/result.h"
#include "config/home.h"
#include "identity/key.h"
#include "log/entry.h"
#include "net/event_loop.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ic::wiring {

/// Ours: how often a running node looks whether trust.toml was written.
inline constexpr std::chrono::milliseconds trust_look_period{1'000};

/// Who is trusted, and where the Kubos of those can be dialled, as far as that is known.
struct TrustList {
    std::vector<PublicKey> keys;
    std::vector<std::vector<std::string>> kubos{}; ///< Multiaddrs of each.

    friend bool operator==(const TrustList&, const TrustList&) = default;
};

/// One's own key, and what the home's trust.toml has. Errors: of reading it; malformed.
Result<TrustList> load_trust_list(const config::Home& home, const PublicKey& own);

/// Its keys.
Result<std::vector<PublicKey>> load_trusted_keys(const config::Home& home, const PublicKey& own);

/// Keys that change while others ask for them. Threads: any.
class TrustedKeys {
public:
    explicit TrustedKeys(std::vector<PublicKey> keys) : keys_(std::move(keys)) {}

    bool contains(const PublicKey& key) const;
    void replace(std::vector<PublicKey> keys);

private:
    mutable std::mutex mutex_;
    std::vector<PublicKey> keys_;
};

/// Calls back with all of trust.toml each time it says something else. What cannot be read is
/// noted, and what it said before holds. Threads: the loop's. Lifetime: within the loop's.
class TrustWatch {
public:
    using Changed = std::function<void(const TrustList&)>;

    /// `known`: the keys that the node began with. Of Kubos it knows none.
    TrustWatch(net::EventLoop& loop,
               config::Home home,
               std::vector<PublicKey> known,
               PublicKey own,
               Changed changed,
               log::Sink note);
    TrustWatch(const TrustWatch&) = delete;
    TrustWatch& operator=(const TrustWatch&) = delete;
    ~TrustWatch();

private:
    /// What another content of the file shows in; a missing file has the default.
    struct Stamp {
        dev_t device = 0;
        ino_t inode = 0;
        std::int64_t bytes = -1;
        std::int64_t modified_ns = 0;

        friend bool operator==(const Stamp&, const Stamp&) = default;
    };

    Stamp stamp() const;
    void look();
    void load();

    net::EventLoop& loop_;
    const config::Home home_;
    TrustList known_;
    const PublicKey own_;
    const Changed changed_;
    const log::Sink note_;
    std::optional<Stamp> seen_; ///< None before the first look: it may have changed since `known`.
    net::TimerId timer_{};
};

} // namespace ic::wiring
