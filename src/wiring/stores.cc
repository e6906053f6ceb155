#include "wiring/stores.h"

#include "blockstore/caching_store.h"
#include "blockstore/embedded/embedded_store.h"
#include "blockstore/kubo/kubo_source.h"
#include "blockstore/verifying_store.h"
#include "kubo/api_address.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

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

} // namespace

/// From the disk upwards; destroyed in the opposite order.
struct Stores::Layers {
    std::unique_ptr<EmbeddedStore> embedded;
    VerifyingStore verifying{*embedded};
    std::optional<KuboSource> kubo{}; ///< None if it is switched off.
    std::optional<CachingStore> caching{};
};

Stores::Stores(std::unique_ptr<Layers> layers) : layers_(std::move(layers)) {}

Stores::~Stores() = default;

Result<std::unique_ptr<Stores>> Stores::open(const config::Home& home,
                                             const config::Settings& settings) {
    std::unique_ptr<EmbeddedStore> embedded =
        TRY(EmbeddedStore::open({.folder = home.blocks(), .bytes_max = settings.store_bytes_max}));
    std::unique_ptr<Layers> layers(new Layers{.embedded = std::move(embedded)});
    if (settings.kubo != "off") {
        if (settings.kubo != "auto") {
            TRY(kubo::api_url(settings.kubo)); // A wrong one is said now, not at the first miss.
        }
        layers->kubo.emplace(
            KuboOptions{.find_api = api_finder(settings.kubo),
                        .time_max = std::chrono::milliseconds(settings.kubo_timeout_ms)});
        layers->caching.emplace(layers->verifying, *layers->kubo);
    }
    return std::unique_ptr<Stores>(new Stores(std::move(layers)));
}

BlockStore& Stores::blocks() {
    return layers_->caching ? static_cast<BlockStore&>(*layers_->caching) : layers_->verifying;
}

BlockStore& Stores::local() { return layers_->verifying; }

EmbeddedStore& Stores::embedded() { return *layers_->embedded; }

bool Stores::has_remote() const { return layers_->caching.has_value(); }

Pins& Stores::pins() { return layers_->embedded->pins(); }

} // namespace ic::wiring
