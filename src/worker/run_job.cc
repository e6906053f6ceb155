#include "worker/run_job.h"

#include "base/time.h"
#include "unixfs/file_builder.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace ic::worker {
namespace {

std::uint64_t microseconds_since(Instant start) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(now_since_boot() - start).count());
}

Result<std::optional<Cid>> add_stream(const RunParts& parts, ByteView data) {
    if (data.empty()) {
        return std::optional<Cid>{};
    }
    unixfs::FileBuilder builder(parts.profile, parts.store);
    TRY(builder.write(data));
    return std::optional<Cid>{TRY(builder.finish()).cid};
}

/// Ours: first and longest pause before results are handed on again, and how often it is looked
/// whether there still is a reason to.
constexpr std::chrono::milliseconds publish_again_first{100};
constexpr std::chrono::milliseconds publish_again_longest{2'000};
constexpr std::chrono::milliseconds publish_look{20};

/// Again and again while the lease holds and the job's timeout allows it: that the network is not
/// there for a moment is no reason to run a job twice.
Result<void> hand_on(const RunParts& parts,
                     std::span<const Cid> cids,
                     std::uint64_t ms_max,
                     const executor::Permit& permit) {
    const Instant until = now_since_boot() + std::chrono::milliseconds(ms_max);
    const Stop stop = [&permit, until]() -> std::optional<Error> {
        if (const std::optional<Errc> reason = permit.stop_reason()) {
            return Error{*reason, "stopped"};
        }
        const Instant now = now_since_boot();
        if (now >= permit.lease_until()) {
            return Error{Errc::lease_lost, "the lease is over"};
        }
        if (now >= until) {
            return Error{Errc::publish_timeout, "out of time"};
        }
        return std::nullopt;
    };
    std::chrono::milliseconds pause = publish_again_first;
    for (;;) {
        Result<void> handed_on = parts.publish(cids, stop);
        if (handed_on || !may_retry(handed_on.error().code)) {
            return handed_on;
        }
        const Instant again = now_since_boot() + pause;
        while (now_since_boot() < again) {
            if (std::optional<Error> why = stop()) {
                return Error{why->code, why->message + "; " + handed_on.error().message};
            }
            std::this_thread::sleep_for(publish_look);
        }
        pause = std::min(pause * 2, publish_again_longest);
    }
}

Result<void> publish(const RunParts& parts,
                     const executor::Outcome& outcome,
                     std::uint64_t ms_max,
                     const executor::Permit& permit,
                     std::vector<Cid> added,
                     FinishedRun& run) {
    run.output = TRY(add_stream(parts, outcome.output));
    run.errors = TRY(add_stream(parts, outcome.errors));
    run.log = TRY(add_stream(parts, outcome.log));
    const bool anything = run.output || run.errors || run.log || outcome.usage.bytes_added > 0;
    if (anything) {
        TRY(parts.store.sync()); // Before a receipt says that it is kept.
    }
    if (parts.publish && !permit.stop_reason()) { // Of a stopped run nobody takes the results.
        for (const std::optional<Cid>& stream : {run.output, run.errors, run.log}) {
            if (stream) {
                added.push_back(*stream);
            }
        }
        TRY(hand_on(parts, added, ms_max, permit));
    }
    return {};
}

} // namespace

FinishedRun run_job(const RunParts& parts,
                    const job::JobSpec& spec,
                    const job::StageTimeouts& timeouts,
                    const job::JobIds& ids,
                    const job::LeaseRef& lease,
                    const executor::Permit& permit,
                    RunObserver& observer) {
    executor::Task task{.lease = lease, .spec = spec, .seed = {}};
    const ByteView digest = ids.computation.digest();
    std::copy_n(digest.begin(), std::min(digest.size(), task.seed.size()), task.seed.begin());

    // If none can be had, nothing can be stored either, which will be said.
    std::shared_ptr<WriteSession> session;
    if (Result<std::unique_ptr<WriteSession>> begun = parts.store.begin_session(); begun) {
        session = std::move(begun).take();
    }
    BrokerHost host(parts, permit, observer);
    executor::Outcome outcome = parts.executor.run(task, permit, host);

    FinishedRun run{.ending = std::move(outcome.ending),
                    .output = std::nullopt,
                    .errors = std::nullopt,
                    .log = std::nullopt,
                    .usage = outcome.usage,
                    .is_kept = !host.lost_an_add(),
                    .session = nullptr};
    const Instant start = now_since_boot();
    observer.stage(job::Stage::publishing);
    if (Result<void> published =
            publish(parts, outcome, timeouts.publish_ms_max, permit, host.added(), run);
        !published) {
        const Error error =
            of_this_machine(std::move(published).take_error()).during("storing the results");
        run.is_kept = error.code == Errc::lease_lost || error.code == Errc::cancelled;
        run.ending = job::Ending{};
        run.ending.error = error.code;
        run.ending.message = error.message;
    }
    run.usage.publish_us = microseconds_since(start);
    if (run.output || run.errors || run.log || run.usage.bytes_added > 0) {
        run.session = std::move(session);
    }
    return run;
}

job::Receipt receipt_of(const FinishedRun& run,
                        const job::JobIds& ids,
                        const job::LeaseRef& lease,
                        const job::WorkerRef& worker,
                        std::string software,
                        UnixSeconds finished_at) {
    return {
        .worker = worker.key,
        .instance = worker.instance,
        .job = ids.job,
        .task = ids.task,
        .computation = ids.computation,
        .epoch = lease.epoch,
        .ending = run.ending,
        .output = run.output,
        .errors = run.errors,
        .log = run.log,
        .usage = run.usage,
        .software = std::move(software),
        .finished_at = finished_at,
        .kept_until = std::nullopt,
    };
}

} // namespace ic::worker
