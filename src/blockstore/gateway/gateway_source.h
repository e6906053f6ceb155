#pragma once
/// GatewaySource: blocks from trustless HTTP gateways, none of which is trusted.

#include "base/time.h"
#include "blockstore/blockstore.h"
#include "blockstore/gateway/gateway.h"
#include "blockstore/gateway/race.h"
#include "car/dag_stream.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ic {

namespace limits {
/// Ours.
inline constexpr std::size_t gateways_max = 16;
} // namespace limits

struct GatewayOptions {
    std::vector<std::string> urls{}; ///< As `gateway::gateway_url` gives them; 1 to `gateways_max`.
    gateway::GatewayTimes times{};
    /// When the next gateway is asked too, beside one that has not answered.
    std::chrono::milliseconds next_after{500};
    /// Told once of each gateway that is dropped: its URL, and why. May be empty. Threads: any.
    std::function<void(const std::string& url, const std::string& why)> on_dropped{};
    Instant (*now)() = &now_since_boot;
};

/// Single blocks are asked for one by one. Where a plan says that much of a DAG will be read, it
/// comes as one CAR, which is decoded only as far as its reader has got: what it brings on the way
/// is put into `local`, and it is opened again, without what is here, when it was cut or lacks
/// something. Gateways race (`gateway::race`), the one that answered fastest so far first. What
/// comes is verified block by block; a gateway that sends a wrong byte, or what was not asked for,
/// is dropped for the life of this object.
///
/// Errors: cid_unavailable, with every gateway and what was wrong with it.
/// Threads: any; readers of one plan wait for each other. Calls block. Lifetime: `local` outlives
/// it.
class GatewaySource final : public BlockSource {
public:
    GatewaySource(BlockStore& local, GatewayOptions options);
    GatewaySource(const GatewaySource&) = delete;
    GatewaySource& operator=(const GatewaySource&) = delete;
    ~GatewaySource() override;

    Result<LentBytes> get(const Cid& cid) override;
    std::size_t foresight_blocks() const override;
    void expect(const Cid& file, std::span<const UpcomingBlock> soon) override;
    void plan(const ReadPlan& plan) override;

private:
    struct Expected {
        Cid file;
        std::vector<UpcomingBlock> soon;
    };

    /// The CAR that is being read, and who sends it.
    struct Open {
        std::unique_ptr<car::DagStream> stream;
        std::shared_ptr<gateway::Gateway> from;
        std::optional<Block> first; ///< Was read to see whether it is good.
    };

    using Gateways = std::vector<std::shared_ptr<gateway::Gateway>>;
    using Failures = std::vector<gateway::Failed>;

    Gateways candidates(const Failures& without) const;
    void note_failure(const std::shared_ptr<gateway::Gateway>& gateway, const Error& error) const;
    Result<LentBytes> get_block(const Cid& cid, Failures failures);
    Result<std::optional<LentBytes>> get_from_dag(const Cid& cid, Failures& failures);
    std::optional<gateway::DagRequest> request_for(const Cid& cid);
    bool open(const gateway::DagRequest& request, Failures& failures);
    Result<std::optional<LentBytes>> read_until(const Cid& cid);
    Error not_to_be_had(const Cid& cid, const Failures& failures) const;

    BlockStore& local_;
    const GatewayOptions options_;
    Gateways gateways_;

    std::mutex hints_; ///< Guards the two that follow.
    std::optional<ReadPlan> plan_;
    std::optional<Expected> expected_;

    std::mutex dag_; ///< Held while a CAR is read.
    std::optional<Open> open_;
    gateway::Runners runners_; ///< Last: its threads use what is above.
};

} // namespace ic
