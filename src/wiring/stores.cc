#include "wiring/stores.h"

#include "blockstore/embedded/embedded_store.h"
#include "blockstore/verifying_store.h"

#include <utility>

namespace ic::wiring {

/// From the disk upwards; destroyed in the opposite order.
struct Stores::Layers {
    std::unique_ptr<EmbeddedStore> embedded;
    VerifyingStore verifying{*embedded};
};

Stores::Stores(std::unique_ptr<Layers> layers) : layers_(std::move(layers)) {}

Stores::~Stores() = default;

Result<std::unique_ptr<Stores>> Stores::open(const config::Home& home,
                                             const config::Settings& settings) {
    std::unique_ptr<EmbeddedStore> embedded =
        TRY(EmbeddedStore::open({.folder = home.blocks(), .bytes_max = settings.store_bytes_max}));
    std::unique_ptr<Layers> layers(new Layers{.embedded = std::move(embedded)});
    return std::unique_ptr<Stores>(new Stores(std::move(layers)));
}

BlockStore& Stores::blocks() { return layers_->verifying; }

BlockStore& Stores::local() { return layers_->verifying; }

} // namespace ic::wiring
