#pragma once
/// Providers: under which addresses our Kubo can be dialled, and dialling those of others, so that
/// blocks come without a search.

#include "base/time.h"
#include "kubo/node.h"
#include "kubo/rpc.h"
#include "net/own_networks.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ic::wiring {

namespace limits {
/// Ours: how long what our Kubo said of itself is taken for true.
inline constexpr std::chrono::seconds own_providers_remembered{60};
/// Ours: when it is asked again after it did not say.
inline constexpr std::chrono::seconds own_providers_asked_again{3};
/// Ours: how long is waited for it to say, and for a connection.
inline constexpr std::chrono::milliseconds own_providers_time_max{2'000};
inline constexpr std::chrono::milliseconds dial_time_max{3'000};
/// Ours: a peer that was dialled is not dialled again before this.
inline constexpr std::chrono::seconds dial_again_after{60};
/// Ours: peers of whom that is remembered.
inline constexpr std::size_t dialled_peers_max = 4'096;
} // namespace limits

/// Of a Kubo's addresses those that others may try: complete, in the form of job::Provider, no
/// loopback; at most job::limits::providers_max.
std::vector<std::string> provider_addresses(const kubo::NodeId& node);

/// Those of `named` that may be dialled although somebody else named them: of one peer (the
/// first's), and at addresses that net::may_be_named allows.
std::vector<std::string> dialable(std::span<const std::string> named,
                                  const std::vector<net::OwnNetwork>& networks);

/// The last peer of a complete multiaddr.
std::string peer_of(std::string_view multiaddr);

/// Threads: any; calls block, within the times above.
class Providers {
public:
    /// Says which Kubo is ours, each time.
    using FindKubo = std::function<Result<std::shared_ptr<kubo::Rpc>>()>;

    explicit Providers(FindKubo kubo) : kubo_(std::move(kubo)) {}

    /// As `provider_addresses` of our Kubo; none while it does not answer.
    std::vector<std::string> own();

    /// Connects our Kubo to theirs, if that may be and was not tried lately. Best effort.
    void dial(std::span<const std::string> named, const kubo::Stop& stop);

    /// Whether a peer was not dialled lately; from now on it was.
    bool is_due(const std::string& peer);

    /// As `dial`, whenever that was tried.
    void dial_now(std::span<const std::string> named, const kubo::Stop& stop);

    /// Connections that were tried. For tests.
    std::size_t dials() const;

private:
    const FindKubo kubo_;
    mutable std::mutex mutex_;
    std::vector<std::string> own_;
    Instant own_until_{};
    std::map<std::string, Instant> dialled_; ///< Peers, and when.
    std::size_t dials_ = 0;
};

} // namespace ic::wiring
