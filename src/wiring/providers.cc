#include "wiring/providers.h"

#include "job/provider.h"

#include <algorithm>
#include <utility>

namespace ic::wiring {
namespace {

/// As `stop`, and an end after `time`.
kubo::Stop within(std::chrono::milliseconds time, kubo::Stop stop = {}) {
    return kubo::either(
        [until = now_since_boot() + time]() -> std::optional<Error> {
            return now_since_boot() < until
                       ? std::nullopt
                       : std::optional(Error{Errc::unavailable, "it takes too long"});
        },
        std::move(stop));
}

bool is_loopback(const job::Provider& provider) {
    const Result<net::Address> address = net::Address::parse(provider.ip);
    return !address || *address == net::Address::parse("::1").take() ||
           (address->is_v4() && provider.ip.starts_with("127."));
}

} // namespace

std::string peer_of(std::string_view multiaddr) {
    const std::size_t at = multiaddr.rfind("/p2p/");
    return at == std::string_view::npos ? std::string{} : std::string(multiaddr.substr(at + 5));
}

std::vector<std::string> provider_addresses(const kubo::NodeId& node) {
    std::vector<std::string> addresses;
    for (const std::string& address : node.addresses) {
        const bool complete = peer_of(address) == node.peer_id;
        std::string whole = complete ? address : address + "/p2p/" + node.peer_id;
        const Result<job::Provider> provider = job::Provider::parse(whole);
        if (provider && !is_loopback(*provider) && addresses.size() < job::limits::providers_max) {
            addresses.push_back(std::move(whole));
        }
    }
    return addresses;
}

std::vector<std::string> dialable(std::span<const std::string> named,
                                  const std::vector<net::OwnNetwork>& networks) {
    std::vector<std::string> addresses;
    std::string peer;
    for (const std::string& text : named) {
        const Result<job::Provider> provider = job::Provider::parse(text);
        const Result<net::Address> address =
            provider ? net::Address::parse(provider->ip) : Result<net::Address>(provider.error());
        if (!address || address->is_v4() == provider->is_ip6 ||
            !net::may_be_named(*address, networks)) {
            continue;
        }
        peer = peer.empty() ? provider->peer : peer;
        if (provider->peer == peer && addresses.size() < job::limits::providers_max) {
            addresses.push_back(text);
        }
    }
    return addresses;
}

std::vector<std::string> Providers::own() {
    {
        const std::lock_guard lock(mutex_);
        if (now_since_boot() < own_until_) {
            return own_;
        }
    }
    std::vector<std::string> own;
    std::chrono::seconds remembered = limits::own_providers_asked_again;
    if (const Result<std::shared_ptr<kubo::Rpc>> rpc = kubo_(); rpc) {
        if (const auto node = kubo::id(**rpc, within(limits::own_providers_time_max)); node) {
            own = provider_addresses(*node);
            remembered = limits::own_providers_remembered;
        }
    }
    const std::lock_guard lock(mutex_);
    own_ = std::move(own);
    own_until_ = now_since_boot() + remembered;
    return own_;
}

bool Providers::is_due(const std::string& peer) {
    const Instant now = now_since_boot();
    const std::lock_guard lock(mutex_);
    const auto at = dialled_.find(peer);
    if (at != dialled_.end() && now - at->second < limits::dial_again_after) {
        return false;
    }
    if (dialled_.size() >= limits::dialled_peers_max) {
        dialled_.clear();
    }
    dialled_.insert_or_assign(peer, now);
    return true;
}

void Providers::dial(std::span<const std::string> named, const kubo::Stop& stop) {
    const std::vector<std::string> addresses =
        named.empty() ? std::vector<std::string>{} : dialable(named, net::own_networks());
    if (!addresses.empty() && is_due(peer_of(addresses.front()))) {
        dial_now(addresses, stop);
    }
}

void Providers::dial_now(std::span<const std::string> named, const kubo::Stop& stop) {
    const std::vector<std::string> addresses = dialable(named, net::own_networks());
    const Result<std::shared_ptr<kubo::Rpc>> rpc = kubo_();
    if (addresses.empty() || !rpc) {
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        ++dials_;
    }
    // Whether or not it is connected, blocks are searched for after this.
    static_cast<void>(kubo::swarm_connect(**rpc, addresses, limits::dial_time_max, stop).ok());
}

std::size_t Providers::dials() const {
    const std::lock_guard lock(mutex_);
    return dials_;
}

} // namespace ic::wiring
