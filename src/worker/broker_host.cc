#include "worker/broker_host.h"

#include "base/time.h"
#include "unixfs/file_builder.h"

#include <utility>

namespace ic::worker {

Error of_this_machine(Error error) {
    if (!may_retry(error.code) && error.code != Errc::cancelled) {
        error.code = Errc::unavailable;
    }
    return error;
}

class BrokerHost::FileAdder final : public executor::Adder {
public:
    FileAdder(const unixfs::Profile& profile, BlockSink& sink, std::shared_ptr<Added> added)
        : builder_(profile, sink)
        , added_(std::move(added)) {}

    Result<void> write(ByteView data) override {
        Result<void> written = builder_.write(data);
        return written ? Result<void>() : lost(std::move(written).take_error());
    }

    Result<Cid> finish() override {
        Result<unixfs::Entry> file = builder_.finish();
        if (!file) {
            return lost(std::move(file).take_error());
        }
        if (added_->cids.size() < limits::adds_remembered_max) {
            added_->cids.push_back(file->cid);
        }
        return file->cid;
    }

private:
    Error lost(Error error) {
        added_->has_failed = true;
        return of_this_machine(std::move(error));
    }

    unixfs::FileBuilder builder_;
    std::shared_ptr<Added> added_;
};

BrokerHost::BrokerHost(const RunParts& parts,
                       const executor::Permit& permit,
                       RunObserver& observer,
                       FetchOptions fetching)
    : parts_(parts)
    , permit_(permit, fetching.run_time_max)
    , observer_(observer)
    , fetching_(std::move(fetching)) {}

void BrokerHost::stage(job::Stage stage) {
    fetched_for_ = fetch_time();
    fetching_since_.reset();
    if (stage == job::Stage::fetching) {
        fetching_since_ = now_since_boot();
    }
    permit_.stage(stage);
    observer_.stage(stage);
}

std::chrono::nanoseconds BrokerHost::fetch_time() const {
    return fetched_for_ +
           (fetching_since_ ? now_since_boot() - *fetching_since_ : std::chrono::nanoseconds(0));
}

std::optional<Error> BrokerHost::must_end() const {
    if (const std::optional<Errc> reason = permit_.stop_reason()) {
        return Error{*reason, "stopped"};
    }
    if (now_since_boot() >= permit_.lease_until()) {
        return Error{Errc::lease_lost, "the lease is over"};
    }
    if (fetching_since_ && fetch_time() >= fetching_.time_max) {
        return Error{Errc::fetch_timeout,
                     "the fetch stage took longer than " +
                         std::to_string(fetching_.time_max.count()) + " ms: raise --fetch-timeout"};
    }
    return std::nullopt;
}

BlockSource& BrokerHost::reader() {
    if (!reader_) {
        reader_ = parts_.open_reader
                      ? parts_.open_reader(fetching_.providers, [this] { return must_end(); })
                      : nullptr;
    }
    return *reader_ ? **reader_ : parts_.source;
}

Result<LentBytes> BrokerHost::get(const Cid& cid) {
    Result<LentBytes> block = reader().get(cid);
    if (!block && block.error().code == Errc::not_found) {
        return Error{Errc::cid_unavailable,
                     "block " + cid.to_string() +
                         " is neither on this machine nor at a Kubo it can reach; bring it here "
                         "with `ipfs-compute add`, or start the Kubo that has it"};
    }
    return block;
}

Result<void> BrokerHost::fetch(const Cid& cid) {
    if (cid.hash() == HashCode::identity) {
        return {};
    }
    const Result<bool> here = parts_.store.has(cid);
    if (here && *here) {
        return {}; // With what is below it, mostly; what is not comes when it is read.
    }
    if (!fetching_since_) {
        stage(job::Stage::fetching);
    }
    TRY(get(cid));
    return {};
}

Result<void> BrokerHost::fetch(const job::JobSpec& spec) {
    if (spec.event) {
        if (Result<void> fetched = fetch(*spec.event); !fetched) {
            return std::move(fetched).take_error().during("the event");
        }
    }
    for (const auto& [name, cid] : spec.inputs) {
        if (Result<void> fetched = fetch(cid); !fetched) {
            return std::move(fetched).take_error().during("input " + name);
        }
    }
    return {};
}

Result<std::unique_ptr<executor::Adder>> BrokerHost::add() {
    return std::unique_ptr<executor::Adder>(
        std::make_unique<FileAdder>(profile_of_results, parts_.store, added_));
}

Result<std::unique_ptr<executor::CurlBody>> BrokerHost::curl(std::string_view request,
                                                             const executor::Task& task) {
    if (const std::optional<Errc> reason = permit_.stop_reason()) {
        return Error{*reason, "the run was stopped before the request"};
    }
    if (now_since_boot() >= permit_.lease_until()) {
        return Error{Errc::lease_lost, "the lease was over before the request"};
    }
    return parts_.curl(request, task, permit_);
}

void BrokerHost::log(std::string_view line) {
    observer_.log(line);
    std::string whole(line);
    whole += '\n';
    observer_.output(job::Stream::log, log_bytes_, bytes_of(whole));
    log_bytes_ += whole.size();
}

void BrokerHost::output(job::Stream stream, ByteView data) {
    std::uint64_t& offset = stream == job::Stream::errors ? errors_bytes_ : output_bytes_;
    observer_.output(stream, offset, data);
    offset += data.size();
}

} // namespace ic::worker
