#include "blockstore/gateway/gateway_source.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace ic {
namespace {

using car::DagStream;
using gateway::DagRequest;
using gateway::Failed;
using gateway::Gateway;
using gateway::Stop;

/// How many blocks ahead a place in a file is remembered, for readers that ask out of order.
constexpr std::size_t foresight = 16;

/// The body of an answer.
class Body final : public car::ByteStream {
public:
    explicit Body(std::unique_ptr<net::HttpResponse> response) : response_(std::move(response)) {}

    Result<std::size_t> read(std::span<std::uint8_t> into) override {
        return response_->read(into);
    }

private:
    std::unique_ptr<net::HttpResponse> response_;
};

/// A CAR whose root is here and good.
struct Begun {
    std::unique_ptr<DagStream> stream;
    Block first;
};

Result<Begun>
begin(Gateway& gateway, const DagRequest& request, const car::IsHere& is_here, const Stop& stop) {
    auto body = std::make_unique<Body>(TRY(gateway.dag(request, stop)));
    auto stream = std::make_unique<DagStream>(std::move(body), request.root, is_here);
    std::optional<Block> first = TRY(stream->next());
    if (!first) {
        return Error{Errc::cid_unavailable,
                     "its CAR has not even the root " + request.root.to_string()};
    }
    return Begun{std::move(stream), std::move(*first)};
}

bool is_same_block(const Cid& left, const Cid& right) { return left.as_v1() == right.as_v1(); }

} // namespace

GatewaySource::GatewaySource(BlockStore& local, GatewayOptions options)
    : local_(local)
    , options_(std::move(options)) {
    assert(options_.urls.size() <= limits::gateways_max);
    for (const std::string& url : options_.urls) {
        gateways_.push_back(std::make_shared<Gateway>(url, options_.times));
    }
}

GatewaySource::~GatewaySource() = default;

std::size_t GatewaySource::foresight_blocks() const { return foresight; }

void GatewaySource::expect(const Cid& file, std::span<const UpcomingBlock> soon) {
    const std::lock_guard lock(hints_);
    expected_ = Expected{.file = file, .soon = {soon.begin(), soon.end()}};
}

void GatewaySource::plan(const ReadPlan& plan) {
    {
        const std::lock_guard lock(hints_);
        plan_ = plan;
        expected_.reset();
    }
    const std::lock_guard lock(dag_);
    open_.reset();
}

/// Those that may be asked, the fastest first. `without`: who failed at this block already.
GatewaySource::Gateways GatewaySource::candidates(const Failures& without) const {
    struct Candidate {
        std::chrono::nanoseconds latency;
        std::size_t place;

        auto operator<=>(const Candidate&) const = default;
    };

    std::vector<Candidate> usable;
    const Instant now = options_.now();
    for (std::size_t place = 0; place < gateways_.size(); ++place) {
        const std::shared_ptr<Gateway>& gateway = gateways_[place];
        const bool failed = std::ranges::find(without, gateway, &Failed::gateway) != without.end();
        if (!failed && gateway->objection(now).empty()) {
            // One that was never asked comes before slower ones, so that it gets its chance.
            usable.push_back({gateway->latency(), place});
        }
    }
    std::ranges::sort(usable);
    Gateways ordered;
    for (const Candidate& candidate : usable) {
        ordered.push_back(gateways_[candidate.place]);
    }
    return ordered;
}

void GatewaySource::note_failure(const std::shared_ptr<Gateway>& gateway,
                                 const Error& error) const {
    if (gateway->note_failure(error, options_.now()) && options_.on_dropped) {
        options_.on_dropped(gateway->url(), error.message);
    }
}

Result<LentBytes> GatewaySource::get(const Cid& cid) {
    Failures failures;
    {
        bool has_plan = false;
        {
            const std::lock_guard lock(hints_);
            has_plan = plan_.has_value();
        }
        if (has_plan) {
            const std::lock_guard lock(dag_);
            if (Result<LentBytes> here = local_.get(cid); here) {
                return here; // Came on the way to another block.
            }
            if (std::optional<LentBytes> block = TRY(get_from_dag(cid, failures))) {
                return std::move(*block);
            }
        }
    }
    return get_block(cid, std::move(failures));
}

/// What failed to give a CAR may still give the block, unless it misbehaved. A connection that
/// broke is tried once more.
Result<LentBytes> GatewaySource::get_block(const Cid& cid, Failures failures) {
    const std::function<Result<Bytes>(Gateway&, const Stop&)> ask =
        [cid](Gateway& gateway, const Stop& stop) { return gateway.block(cid, stop); };
    Failures without; // Asking these again is of no use.
    bool may_help = true;
    for (int round = 0; round < gateway::limits::failures_max && may_help; ++round) {
        Failures now;
        std::optional<gateway::Won<Bytes>> won = gateway::race<Bytes>(
            runners_,
            candidates(without),
            options_.next_after,
            ask,
            [this](const auto& gateway, const Error& error) { note_failure(gateway, error); },
            now);
        if (won) {
            return LentBytes::of(std::move(won->answer));
        }
        may_help = false;
        for (Failed& failed : now) {
            const bool broke = failed.error.code == Errc::unavailable;
            may_help = may_help || broke;
            (broke ? failures : without).push_back(std::move(failed));
        }
    }
    std::ranges::move(without, std::back_inserter(failures));
    return not_to_be_had(cid, failures);
}

/// Nothing if it does not come in a CAR. Requires: `dag_` is held.
Result<std::optional<LentBytes>> GatewaySource::get_from_dag(const Cid& cid, Failures& failures) {
    // Each turn uses the CAR that is open or drops a gateway from the candidates, so it ends; a
    // gateway whose CAR was cut may go on if it has brought something since.
    for (std::size_t turn = 0; turn <= 2 * gateways_.size(); ++turn) {
        if (open_ && (open_->first || open_->stream->awaits(cid))) {
            Result<std::optional<LentBytes>> found = read_until(cid);
            if (!found) {
                note_failure(open_->from, found.error());
                const bool fails = found.error().code != Errc::unavailable;
                if (fails || !open_->from->objection(options_.now()).empty()) {
                    failures.push_back({open_->from, std::move(found).take_error()});
                }
                open_.reset();
                continue;
            }
            if (*found) {
                return found;
            }
            failures.push_back(
                {open_->from,
                 {Errc::cid_unavailable, "its CAR does not have the block, which it should"}});
        }
        open_.reset();
        const std::optional<DagRequest> request = request_for(cid);
        if (!request || !open(*request, failures)) {
            return std::optional<LentBytes>{};
        }
    }
    return std::optional<LentBytes>{};
}

/// The CAR in which the block would come together with what is read after it.
std::optional<DagRequest> GatewaySource::request_for(const Cid& cid) {
    const std::lock_guard lock(hints_);
    if (!plan_) {
        return std::nullopt;
    }
    if (expected_) {
        const auto place = std::ranges::find(expected_->soon, cid, &UpcomingBlock::cid);
        if (place != expected_->soon.end()) {
            DagRequest rest{.root = expected_->file, .offset = place->offset};
            if (plan_->root == expected_->file) {
                rest.end = plan_->end;
            }
            // The last block alone is as well asked for by itself.
            const bool is_last = place + 1 == expected_->soon.end() &&
                                 expected_->soon.size() == 1 && cid.codec() == Codec::raw;
            return is_last ? std::nullopt : std::optional(rest);
        }
    }
    if (cid.codec() == Codec::raw) {
        return std::nullopt;
    }
    if (cid == plan_->root) {
        return DagRequest{
            .root = cid, .scope = plan_->scope, .offset = plan_->offset, .end = plan_->end};
    }
    if (plan_->scope == ReadPlan::Scope::all) {
        return DagRequest{.root = cid, .scope = ReadPlan::Scope::all};
    }
    return std::nullopt;
}

bool GatewaySource::open(const DagRequest& request, Failures& failures) {
    Gateways usable = candidates(failures);
    std::erase_if(usable, [](const auto& gateway) { return !gateway->serves_dags(); });
    const car::IsHere is_here = [&local = local_](const Cid& cid) {
        const Result<bool> found = local.has(cid);
        return found && *found;
    };
    const std::function<Result<Begun>(Gateway&, const Stop&)> ask =
        [request, is_here](Gateway& gateway, const Stop& stop) {
            return begin(gateway, request, is_here, stop);
        };
    std::optional<gateway::Won<Begun>> won = gateway::race<Begun>(
        runners_,
        usable,
        options_.next_after,
        ask,
        [this](const auto& gateway, const Error& error) { note_failure(gateway, error); },
        failures);
    if (!won) {
        return false;
    }
    open_ = Open{.stream = std::move(won->answer.stream),
                 .from = won->by,
                 .first = std::move(won->answer.first)};
    return true;
}

/// Reads on to `cid` and keeps what comes before it. Nothing if the CAR ends before.
Result<std::optional<LentBytes>> GatewaySource::read_until(const Cid& cid) {
    for (;;) {
        std::optional<Block> block =
            open_->first ? std::exchange(open_->first, std::nullopt) : TRY(open_->stream->next());
        if (!block) {
            return std::optional<LentBytes>{};
        }
        if (is_same_block(block->cid, cid)) {
            return std::optional(std::move(block->data));
        }
        // What cannot be kept is asked for again when its turn comes.
        static_cast<void>(local_.put(block->cid, block->data.view()).ok());
    }
}

Error GatewaySource::not_to_be_had(const Cid& cid, const Failures& failures) const {
    std::string message =
        "block " + cid.to_string() + " is not in this store, and no gateway gives it: ";
    const Instant now = options_.now();
    const char* between = "";
    for (const std::shared_ptr<Gateway>& gateway : gateways_) {
        const auto failed = std::ranges::find(failures, gateway, &Failed::gateway);
        const std::string objection = gateway->objection(now);
        message += between + gateway->url() + ": ";
        message += !objection.empty()         ? objection
                   : failed != failures.end() ? failed->error.message
                                              : std::string("it was not asked");
        between = "; ";
    }
    return {Errc::cid_unavailable,
            message + ". Name another with --gateway, or add the content here"};
}

} // namespace ic
