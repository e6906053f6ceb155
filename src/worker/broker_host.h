#pragma once
/// BrokerHost: what a run may ask of this node: blocks, adds, curl, logs.

#include "base/time.h"
#include "blockstore/blockstore.h"
#include "executor/executor.h"
#include "ipld/block.h"
#include "job/spec.h"
#include "unixfs/profile.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ic::worker {

namespace limits {
/// Ours: of one run. What is added beyond it stays in this machine's store alone.
inline constexpr std::size_t adds_remembered_max = 1'024;
} // namespace limits

/// Carries out ipfsComputeCurl under the node's policy and the job's; ends soon after the permit.
using Curl = std::function<Result<std::unique_ptr<executor::CurlBody>>(
    std::string_view request, const executor::Task& task, const executor::Permit& permit)>;

/// An error as soon as what is under way should end, nothing until then. Cheap; threads: any.
using Stop = std::function<std::optional<Error>()>;

/// Hands what these CIDs name on to the network. Blocks. Errors: what `stop` says; one that may be
/// tried again while the network is not there.
using Publish = std::function<Result<void>(std::span<const Cid> cids, const Stop& stop)>;

/// Makes what one run reads from, which ends what it waits for when `stop` says so.
/// `providers`: as job::Invocation and job::Receipt have them, to be dialled before anybody is
/// asked.
using OpenReader =
    std::function<std::unique_ptr<BlockSource>(std::span<const std::string> providers, Stop stop)>;

/// What runs add, and their streams, become blocks by it on every node: the CIDs are part of what a
/// pure job gives (docs/formats/abi.md, "Adding").
inline constexpr const unixfs::Profile& profile_of_results = unixfs::unixfs_v1_2025;

/// What a run is built of; shared by all runs of a node. The references outlive every run.
struct RunParts {
    executor::Executor& executor;
    BlockSource& source; ///< The store, and whatever stands behind it.
    BlockStore& store;   ///< Where results go.
    Curl curl;
    Publish publish{};        ///< Empty where results stay in this store.
    OpenReader open_reader{}; ///< Empty: runs read from `source`.
    /// Where others can dial who has the results, for receipts. Empty: nowhere.
    std::function<std::vector<std::string>()> own_providers{};
    /// Takes each receipt that is signed here, and the job that it answers, for whoever looks for
    /// them by their CIDs. Called on threads of runs; never blocks. Empty: nobody takes them.
    std::function<void(std::vector<Block> documents)> keep_documents{};
};

/// How a run gets what its job names.
struct FetchOptions {
    std::chrono::milliseconds time_max{60'000}; ///< Of the fetch stage.
    /// Of the run stage: nothing is waited for after it. Its guest is stopped by then.
    std::chrono::milliseconds run_time_max{60'000};
    std::vector<std::string> providers{}; ///< The job's.
};

/// Who looks on while a run goes. Called on the run's thread.
class RunObserver {
public:
    virtual ~RunObserver() = default;
    virtual void stage(job::Stage stage) = 0;
    /// One log line without its end, at once.
    virtual void log(std::string_view line) = 0;
    /// Bytes of a stream, from `offset` on, in order and without gaps; the log with its line ends.
    virtual void output(job::Stream stream, std::uint64_t offset, ByteView data) = 0;
    /// As executor::Host's; never called where the executors were opened for no Debugging.
    virtual void trace(std::string_view line) = 0;
    virtual void dump(executor::Dump kind, ByteView piece) = 0;
};

/// That this machine cannot keep something, or hand it on, says nothing against a job: what would
/// end one for good becomes unavailable, and the job goes on elsewhere. What stops a run stays.
Error of_this_machine(Error error);

/// Threads: one, that of the run.
class BrokerHost final : public executor::Host {
public:
    BrokerHost(const RunParts& parts,
               const executor::Permit& permit,
               RunObserver& observer,
               FetchOptions fetching);

    /// Errors: cid_unavailable, with what people can do, where the source knows no such block or
    /// nobody gives it in time; fetch_timeout where the fetch stage's time is over although blocks
    /// come; why the run is to stop.
    Result<LentBytes> get(const Cid& cid) override;

    /// Has the event and inputs of a job here before it runs, as far as they come with their roots.
    /// Errors: as `get`, naming which.
    Result<void> fetch(const job::JobSpec& spec);

    /// What the fetch stage has taken so far.
    std::chrono::nanoseconds fetch_time() const;

    Result<std::unique_ptr<executor::Adder>> add() override;

    /// Errors also: lease_lost and the stop reason: no effect after the lease.
    Result<std::unique_ptr<executor::CurlBody>> curl(std::string_view request,
                                                     const executor::Task& task) override;

    void log(std::string_view line) override;
    void output(job::Stream stream, ByteView data) override;

    void stage(job::Stage stage) override;

    void trace(std::string_view line) override { observer_.trace(line); }

    void dump(executor::Dump kind, ByteView piece) override { observer_.dump(kind, piece); }

    /// What the guest has added, in its order; the first `limits::adds_remembered_max`.
    const std::vector<Cid>& added() const { return added_->cids; }

    /// Whether something that the guest added could not be kept here.
    bool lost_an_add() const { return added_->has_failed; }

private:
    /// What ends the run, and the end of its stage. Threads: the run's.
    class RunPermit final : public executor::Permit {
    public:
        RunPermit(const executor::Permit& of_lease, std::chrono::milliseconds time_max)
            : of_lease_(of_lease)
            , time_max_(time_max) {}

        /// A run may be fetched for once more after it began: that time is not its own.
        void stage(job::Stage stage) {
            until_ = stage == job::Stage::running ? now_since_boot() + time_max_ : Instant::never();
        }

        Instant lease_until() const override { return of_lease_.lease_until(); }

        std::optional<Errc> stop_reason() const override {
            if (const std::optional<Errc> reason = of_lease_.stop_reason()) {
                return reason;
            }
            return now_since_boot() >= until_ ? std::optional(Errc::limit_wall_time) : std::nullopt;
        }

    private:
        const executor::Permit& of_lease_;
        const std::chrono::milliseconds time_max_;
        Instant until_ = Instant::never();
    };

    /// Why the run is to stop, or the fetch stage.
    std::optional<Error> must_end() const;
    BlockSource& reader();
    Result<void> fetch(const Cid& cid);

    const RunParts& parts_;
    RunPermit permit_;
    RunObserver& observer_;
    const FetchOptions fetching_;
    std::chrono::nanoseconds fetched_for_{0}; ///< In the parts of the stage that are over.
    std::optional<Instant> fetching_since_{}; ///< While the stage goes on.
    std::optional<std::unique_ptr<BlockSource>> reader_{}; ///< Made when it is needed.
    std::uint64_t output_bytes_ = 0;
    std::uint64_t errors_bytes_ = 0;
    std::uint64_t log_bytes_ = 0;
    struct Added {
        std::vector<Cid> cids;
        bool has_failed = false;
    };
    class FileAdder;
    /// Shared with adders, which may outlive this.
    std::shared_ptr<Added> added_ = std::make_shared<Added>();
};

} // namespace ic::worker
