#pragma once
/// The block stores of one process, put together.

#include "base/result.h"
#include "blockstore/blockstore.h"
#include "blockstore/pins.h"
#include "car_store/dag_reader.h"
#include "config/home.h"
#include "config/settings.h"
#include "metrics/registry.h"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ic {
class EmbeddedStore;
}

namespace ic::wiring {

/// Told, in a sentence, of what a user should know although all goes on. Threads: any.
using Warn = std::function<void(std::string_view)>;

/// Owns every layer from the disk upwards. Threads: as BlockStore.
class Stores {
public:
    /// Opens what is on this machine; gateways and a Kubo are looked for when a block is missing.
    /// Errors: as `EmbeddedStore::open`; malformed for a setting that is no address of a Kubo;
    /// usage for one that is no gateway's. What is fetched is counted by `counts`, if there is one;
    /// it must outlive this.
    static Result<std::unique_ptr<Stores>> open(const config::Home& home,
                                                const config::Settings& settings,
                                                Warn warn = {},
                                                metrics::Registry* counts = nullptr);

    Stores(const Stores&) = delete;
    Stores& operator=(const Stores&) = delete;
    ~Stores();

    /// Everything that can be had: this machine's store, then the gateways, then Kubo, verified and
    /// kept here.
    BlockStore& blocks();

    /// As `blocks`, for one run: whole DAGs at once from Kubo, and an end to what it waits for when
    /// `stop` says so; `providers` (job::Provider) are dialled first. Requires: `has_reader`.
    /// Lifetime: this outlives it. Threads of it: one.
    std::unique_ptr<BlockSource> reader(std::span<const std::string> providers,
                                        car_store::Stop stop);

    /// Whether Kubo is asked, and no gateway before it.
    bool has_reader() const;

    /// Where others can dial the Kubo that this machine's blocks are handed to; none without one.
    std::vector<std::string> own_providers();

    /// This machine's store alone, verified.
    BlockStore& local();

    /// The pins of this machine's store.
    Pins& pins();

    /// The store itself, beneath the verification: for who keeps it in order.
    EmbeddedStore& embedded();

private:
    struct Layers;
    explicit Stores(std::unique_ptr<Layers> layers);
    std::unique_ptr<Layers> layers_;
};

} // namespace ic::wiring
