#pragma once
/// KuboDags: readers of this machine's store to which a Kubo sends whole DAGs.

#include "blockstore/blockstore.h"
#include "blockstore/gateway/gateway.h"
#include "blockstore/kubo/kubo_source.h"
#include "car_store/dag_reader.h"
#include "wiring/providers.h"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ic::wiring {

namespace limits {
/// Ours: how long it is believed that a Kubo has no gateway that can be used.
inline constexpr std::chrono::seconds no_gateway_remembered{60};
} // namespace limits

struct KuboDagsOptions {
    std::string gateway = "auto"; ///< "auto": as Kubo's config says; "off"; or a URL.
    std::chrono::milliseconds block_time_max{30'000};
    std::function<void(std::string_view)> warn{}; ///< May be empty. Threads: any.
    metrics::Registry* counts = nullptr;          ///< Null: nobody counts. Outlives it.
};

/// CARs come through Kubo's gateway port, which is several times as fast as its API and can send a
/// part of a file; else from its API (`dag/export`). What neither sends comes block by block.
/// Threads: any. Lifetime: what it is made of outlives it, and it its readers.
class KuboDags {
public:
    KuboDags(BlockStore& local, KuboSource& kubo, Providers& providers, KuboDagsOptions options);

    /// For one run: ends what it waits for when `stop` says so. Before it asks for anything, Kubo
    /// is connected to `providers` (Providers::dial). Threads of the reader: one.
    std::unique_ptr<BlockSource> reader(std::span<const std::string> providers,
                                        car_store::Stop stop);

    const car_store::DagReaderCounts& counts() const { return counts_; }

private:
    /// Finds the gateway when it is first needed, and again if Kubo's API is elsewhere.
    class GatewaySender final : public car_store::CarSender {
    public:
        GatewaySender(KuboSource& kubo, const KuboDagsOptions& options)
            : kubo_(kubo)
            , options_(options) {}

        bool may_ask() override;
        Result<std::unique_ptr<car::ByteStream>> open(const ReadPlan& plan,
                                                      const car_store::Stop& stop) override;
        void note(const Error& error) override;

    private:
        Result<std::shared_ptr<gateway::Gateway>> find(const car_store::Stop& stop);

        KuboSource& kubo_;
        const KuboDagsOptions& options_;
        std::mutex mutex_;
        std::string api_; ///< Of whose gateway the rest is.
        std::shared_ptr<gateway::Gateway> gateway_;
        Instant none_until_{};
    };

    class ExportSender final : public car_store::CarSender {
    public:
        explicit ExportSender(KuboSource& kubo) : kubo_(kubo) {}

        bool may_ask() override { return true; }

        Result<std::unique_ptr<car::ByteStream>> open(const ReadPlan& plan,
                                                      const car_store::Stop& stop) override;

        void note(const Error& /*error*/) override {} // Its Rpc knows of absences.

    private:
        KuboSource& kubo_;
    };

    BlockStore& local_;
    KuboSource& kubo_;
    Providers& providers_;
    const KuboDagsOptions options_;
    GatewaySender gateway_;
    ExportSender export_;
    car_store::DagReaderCounts counts_;
    std::optional<BlockCounts> told_;
};

} // namespace ic::wiring
