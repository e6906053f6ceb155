#include "wiring/kubo_dags.h"

#include "kubo/dag.h"
#include "kubo/gateway_address.h"
#include "kubo/node.h"

#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace ic::wiring {
namespace {

using car_store::Stop;

/// No part of it is awaited for longer than the reader's patience, which `stop` has.
constexpr std::chrono::hours export_time_max{1};

/// What the gateway sends.
class GatewayBody final : public car::ByteStream {
public:
    GatewayBody(std::unique_ptr<net::HttpResponse> response,
                std::shared_ptr<gateway::Gateway> from,
                Instant begun)
        : response_(std::move(response))
        , from_(std::move(from))
        , begun_(begun) {}

    Result<std::size_t> read(std::span<std::uint8_t> into) override {
        Result<std::size_t> count = response_->read(into);
        if (count && *count == 0) {
            from_->note_answer(now_since_boot() - begun_);
        }
        return count;
    }

private:
    std::unique_ptr<net::HttpResponse> response_;
    std::shared_ptr<gateway::Gateway> from_;
    Instant begun_;
};

/// What the API sends.
class ExportBody final : public car::ByteStream {
public:
    ExportBody(std::shared_ptr<kubo::Rpc> rpc, std::unique_ptr<kubo::RpcAnswer> answer)
        : rpc_(std::move(rpc))
        , answer_(std::move(answer)) {}

    Result<std::size_t> read(std::span<std::uint8_t> into) override { return answer_->read(into); }

private:
    std::shared_ptr<kubo::Rpc> rpc_; ///< Outlives the answer.
    std::unique_ptr<kubo::RpcAnswer> answer_;
};

Error not_asked(const std::string& why) { return {Errc::unsupported, why}; }

} // namespace

KuboDags::KuboDags(BlockStore& local,
                   KuboSource& kubo,
                   Providers& providers,
                   KuboDagsOptions options)
    : local_(local)
    , kubo_(kubo)
    , providers_(providers)
    , options_(std::move(options))
    , gateway_(kubo_, options_)
    , export_(kubo_) {
    if (options_.counts != nullptr) {
        told_.emplace(*options_.counts, "kubo");
    }
}

std::unique_ptr<BlockSource> KuboDags::reader(std::span<const std::string> providers, Stop stop) {
    return std::make_unique<car_store::DagReader>(
        local_,
        car_store::DagReaderOptions{
            .senders = {&gateway_, &export_},
            .single = [this](const Cid& cid, const Stop& until) { return kubo_.get(cid, until); },
            .block_time_max = options_.block_time_max,
            .stop = std::move(stop),
            .before_asking = [this,
                              named = std::vector<std::string>(providers.begin(), providers.end())](
                                 const Stop& until) { providers_.dial(named, until); },
            .told = told_ ? &*told_ : nullptr},
        counts_);
}

bool KuboDags::GatewaySender::may_ask() {
    if (options_.gateway == "off") {
        return false;
    }
    const Instant now = now_since_boot();
    const std::lock_guard lock(mutex_);
    return gateway_ ? gateway_->objection(now).empty() && gateway_->serves_dags()
                    : now >= none_until_;
}

Result<std::shared_ptr<gateway::Gateway>> KuboDags::GatewaySender::find(const Stop& stop) {
    // Of another Kubo, what was learnt does not hold.
    const std::shared_ptr<kubo::Rpc> rpc = TRY(kubo_.rpc());
    {
        const std::lock_guard lock(mutex_);
        if (gateway_ && api_ == rpc->address()) {
            return gateway_;
        }
    }
    std::optional<std::string> url = options_.gateway;
    if (options_.gateway == "auto") {
        const Result<std::vector<std::string>> addresses = kubo::gateway_addresses(*rpc, stop);
        url = addresses ? kubo::gateway_url(rpc->address(), *addresses) : std::nullopt;
    }
    const std::lock_guard lock(mutex_);
    api_ = rpc->address();
    gateway_.reset();
    if (!url) {
        none_until_ = now_since_boot() + limits::no_gateway_remembered;
        return Error{Errc::unsupported, "Kubo at " + api_ + " has no gateway that can be used"};
    }
    // How long it may take is up to the reader.
    gateway_ = std::make_shared<gateway::Gateway>(
        std::move(*url),
        gateway::GatewayTimes{.connect_max = std::chrono::seconds(2),
                              .head_max = std::chrono::hours(24),
                              .rate_floor = {}});
    return gateway_;
}

Result<std::unique_ptr<car::ByteStream>> KuboDags::GatewaySender::open(const ReadPlan& plan,
                                                                       const Stop& stop) {
    const Instant begun = now_since_boot();
    Result<std::shared_ptr<gateway::Gateway>> found = find(stop);
    if (!found) {
        return not_asked(found.error().message);
    }
    std::unique_ptr<net::HttpResponse> response = TRY((*found)->dag(
        {.root = plan.root, .scope = plan.scope, .offset = plan.offset, .end = plan.end},
        [stop] { return stop().has_value(); }));
    return std::unique_ptr<car::ByteStream>(
        std::make_unique<GatewayBody>(std::move(response), std::move(found).take(), begun));
}

void KuboDags::GatewaySender::note(const Error& error) {
    std::shared_ptr<gateway::Gateway> gateway;
    {
        const std::lock_guard lock(mutex_);
        gateway = gateway_;
    }
    if (gateway && gateway->note_failure(error, now_since_boot()) && options_.warn) {
        options_.warn("Kubo's gateway at " + gateway->url() + " is not asked any more: " +
                      error.message + "; set kubo_gateway if it is elsewhere");
    }
}

Result<std::unique_ptr<car::ByteStream>> KuboDags::ExportSender::open(const ReadPlan& plan,
                                                                      const Stop& stop) {
    if (plan.scope != ReadPlan::Scope::all) {
        return not_asked("the API of Kubo sends no parts of files");
    }
    Result<std::shared_ptr<kubo::Rpc>> rpc = kubo_.rpc();
    if (!rpc) {
        return not_asked(rpc.error().message);
    }
    std::unique_ptr<kubo::RpcAnswer> answer =
        TRY(kubo::dag_export(**rpc, plan.root, kubo::Reach::network(export_time_max), stop));
    return std::unique_ptr<car::ByteStream>(
        std::make_unique<ExportBody>(std::move(rpc).take(), std::move(answer)));
}

} // namespace ic::wiring
