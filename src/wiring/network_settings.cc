#include "wiring/network_settings.h"

#include "kubo/api_address.h"
#include "multiformats/cid.h"
#include "net/own_addresses.h"

#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace ic::wiring {
namespace {

/// Ours.
constexpr std::size_t advertised_urls_max = 8;

Result<std::string> kubo_api(const config::Settings& settings) {
    if (settings.kubo == "off") {
        return Error{Errc::usage,
                     "ipfs is kubo, but the setting kubo is off; set it to auto or to an address"};
    }
    if (settings.kubo == "auto") {
        return kubo::find_api(config::process_environment("IPFS_PATH"),
                              config::process_environment("HOME"));
    }
    return kubo::api_url(settings.kubo);
}

/// As Kubo writes the name of a peer that publishes: another form of it would never be met.
Result<std::vector<std::string>> unsigned_peers(const config::Settings& settings) {
    std::vector<std::string> peers;
    std::istringstream words(settings.policy_unsigned_peers);
    for (std::string peer; words >> peer;) {
        const bool is_rsa = peer.starts_with("Qm");
        const Result<PublicKey> key =
            is_rsa ? Result<PublicKey>(PublicKey{}) : PublicKey::parse_peer_id(peer);
        const Result<Cid> hash = is_rsa ? Cid::parse(peer) : Result<Cid>(Cid{});
        if (!key || !hash) {
            return Error{Errc::usage,
                         "policy.unsigned_peers: '" + peer + "' is no peer ID: " +
                             (key ? hash.error().message : key.error().message) +
                             "; `ipfs id -f '<id>'` prints a Kubo's own"};
        }
        peers.push_back(std::move(peer));
    }
    return peers;
}

/// The same for all users and homes of this machine, where there is such a place: whoever
/// publishes through one Kubo takes turns.
std::string lock_folder() {
    std::error_code none;
    const std::filesystem::path shared = "/run/lock";
    return std::filesystem::is_directory(shared, none)
               ? shared.string()
               : std::filesystem::temp_directory_path(none).string();
}

} // namespace

Result<std::optional<NetworkOptions>> network_options(const config::Settings& settings,
                                                      const std::vector<PublicKey>& trusted) {
    if (settings.ipfs != "kubo") {
        return std::optional<NetworkOptions>{};
    }
    NetworkOptions options;
    options.kubo_api = TRY(kubo_api(settings));
    options.kubo_token = settings.kubo_token;
    options.kubo_breaker = std::make_shared<kubo::SharedBreaker>(kubo::BreakerPolicy{});
    if (settings.network_listen == "off") {
        options.listen.clear();
    } else if (settings.network_listen != "auto") {
        options.listen = settings.network_listen;
    }
    std::istringstream words(settings.network_advertise);
    for (std::string url; words >> url;) {
        options.advertise.push_back(std::move(url));
    }
    options.trusted = trusted;
    options.unsigned_peers = TRY(unsigned_peers(settings));
    options.lock_folder = lock_folder();
    return std::optional<NetworkOptions>(std::move(options));
}

std::vector<std::string> advertised_urls(const NetworkOptions& options, std::uint16_t port) {
    if (!options.advertise.empty()) {
        return options.advertise;
    }
    std::vector<std::string> urls;
    if (port == 0 || options.listen.empty()) {
        return urls;
    }
    const std::string_view listen = options.listen;
    const std::string_view host = listen.substr(0, listen.rfind(':'));
    const std::string colon_port = ":" + std::to_string(port);
    if (host != "[::]" && host != "0.0.0.0") {
        urls.push_back("http://" + std::string(host) + colon_port);
        return urls;
    }
    for (const std::string& address : net::own_addresses(advertised_urls_max)) {
        urls.push_back("http://" + address + colon_port);
    }
    return urls;
}

Result<std::unique_ptr<kubo::Rpc>> open_kubo(const std::optional<NetworkOptions>& network) {
    if (!network) {
        return std::unique_ptr<kubo::Rpc>();
    }
    kubo::RpcOptions options;
    options.address = network->kubo_api;
    options.token = network->kubo_token;
    options.shared_breaker = network->kubo_breaker;
    options.on_attempt = counting(network->counts);
    return kubo::Rpc::open(std::move(options));
}

std::function<void(const kubo::Attempt&)> counting(metrics::Registry* counts) {
    if (counts == nullptr) {
        return {};
    }
    return [counts](const kubo::Attempt& attempt) {
        const std::string_view endpoint = attempt.command.substr(0, attempt.command.find('/'));
        counts->number(metrics::Metric::kubo_requests, endpoint, name(attempt.end)).add();
        counts->number(metrics::Metric::kubo_breaker_open).set(attempt.is_breaker_open ? 1 : 0);
    };
}

} // namespace ic::wiring
