#include "wiring/stores.h"

#include "blockstore/caching_store.h"
#include "blockstore/counting_source.h"
#include "blockstore/embedded/embedded_store.h"
#include "blockstore/gateway/gateway_source.h"
#include "blockstore/kubo/kubo_source.h"
#include "blockstore/ordered_sources.h"
#include "blockstore/verifying_store.h"
#include "kubo/api_address.h"
#include "wiring/kubo_dags.h"
#include "wiring/providers.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace ic::wiring {
namespace {

/// Where the setting says that Kubo is; with "auto" it is looked for anew each time.
std::function<Result<std::string>()> api_finder(const std::string& setting) {
    if (setting == "auto") {
        return [] {
            return kubo::find_api(config::process_environment("IPFS_PATH"),
                                  config::process_environment("HOME"));
        };
    }
    return [setting] { return kubo::api_url(setting); };
}

/// The words of the setting, each checked and once.
Result<std::vector<std::string>> gateways_of(const std::string& setting) {
    std::vector<std::string> urls;
    std::istringstream words(setting);
    for (std::string word; words >> word;) {
        std::string url = TRY(gateway::gateway_url(word));
        if (std::ranges::find(urls, url) == urls.end()) {
            urls.push_back(std::move(url));
        }
    }
    if (urls.size() > ic::limits::gateways_max) {
        return Error{Errc::usage,
                     "at most " + std::to_string(ic::limits::gateways_max) +
                         " gateways can be named"};
    }
    return urls;
}

/// As KuboDagsOptions has it.
Result<std::string> kubo_gateway_of(const std::string& setting) {
    const bool is_word = setting == "auto" || setting == "off";
    return is_word ? Result<std::string>(setting) : gateway::gateway_url(setting);
}

std::function<void(const std::string&, const std::string&)> warning_of(Warn warn) {
    if (!warn) {
        return {};
    }
    return [warn = std::move(warn)](const std::string& url, const std::string& why) {
        warn("gateway " + url + " is not asked any more: " + why);
    };
}

} // namespace

/// From the disk upwards; destroyed in the opposite order.
struct Stores::Layers {
    std::unique_ptr<EmbeddedStore> embedded;
    VerifyingStore verifying{*embedded};
    std::optional<GatewaySource> gateways{}; ///< None if none is named.
    std::optional<KuboSource> kubo{};        ///< None if it is switched off.
    std::optional<Providers> providers{};    ///< As `kubo`.
    std::optional<KuboDags> dags{};          ///< None also if gateways are asked first.
    std::vector<std::unique_ptr<CountingSource>> counted{};
    std::optional<OrderedSources> remote{};
    std::optional<CachingStore> caching{};

    /// `source`, counted if somebody counts.
    BlockSource& counting(BlockSource& source, metrics::Registry* counts, std::string_view name) {
        if (counts == nullptr) {
            return source;
        }
        return *counted.emplace_back(std::make_unique<CountingSource>(source, *counts, name));
    }
};

Stores::Stores(std::unique_ptr<Layers> layers) : layers_(std::move(layers)) {}

Stores::~Stores() = default;

Result<std::unique_ptr<Stores>> Stores::open(const config::Home& home,
                                             const config::Settings& settings,
                                             Warn warn,
                                             metrics::Registry* counts) {
    std::vector<std::string> gateways = TRY(gateways_of(settings.gateways));
    std::unique_ptr<EmbeddedStore> embedded =
        TRY(EmbeddedStore::open({.folder = home.blocks(), .bytes_max = settings.store_bytes_max}));
    std::unique_ptr<Layers> layers(new Layers{.embedded = std::move(embedded)});
    std::vector<std::reference_wrapper<BlockSource>> remote;
    if (!gateways.empty()) {
        layers->gateways.emplace(
            layers->verifying,
            GatewayOptions{.urls = std::move(gateways), .on_dropped = warning_of(warn)});
        remote.emplace_back(layers->counting(*layers->gateways, counts, "gateway"));
    }
    if (settings.kubo != "off") {
        if (settings.kubo != "auto") {
            TRY(kubo::api_url(settings.kubo)); // A wrong one is said now, not at the first miss.
        }
        layers->kubo.emplace(
            KuboOptions{.find_api = api_finder(settings.kubo),
                        .token = settings.kubo_token,
                        .time_max = std::chrono::milliseconds(settings.kubo_timeout_ms)});
        layers->providers.emplace([&kubo = *layers->kubo] { return kubo.rpc(); });
        if (remote.empty()) {
            layers->dags.emplace(
                layers->verifying,
                *layers->kubo,
                *layers->providers,
                KuboDagsOptions{.gateway = TRY(kubo_gateway_of(settings.kubo_gateway)),
                                .block_time_max =
                                    std::chrono::milliseconds(settings.kubo_timeout_ms),
                                .warn = std::move(warn),
                                .counts = counts});
        }
        remote.emplace_back(layers->counting(*layers->kubo, counts, "kubo"));
    }
    if (!remote.empty()) {
        layers->remote.emplace(std::move(remote));
        layers->caching.emplace(layers->verifying, *layers->remote);
    }
    return std::unique_ptr<Stores>(new Stores(std::move(layers)));
}

BlockStore& Stores::blocks() {
    return layers_->caching ? static_cast<BlockStore&>(*layers_->caching) : layers_->verifying;
}

std::unique_ptr<BlockSource> Stores::reader(std::span<const std::string> providers,
                                            car_store::Stop stop) {
    return layers_->dags->reader(providers, std::move(stop));
}

std::vector<std::string> Stores::own_providers() {
    return layers_->providers ? layers_->providers->own() : std::vector<std::string>{};
}

bool Stores::has_reader() const { return layers_->dags.has_value(); }

BlockStore& Stores::local() { return layers_->verifying; }

EmbeddedStore& Stores::embedded() { return *layers_->embedded; }

Pins& Stores::pins() { return layers_->embedded->pins(); }

} // namespace ic::wiring
