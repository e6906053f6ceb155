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
    unixfs::FileBuilder builder(profile_of_results, parts.store);
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

bool has_results(const executor::Outcome& outcome) {
    return !outcome.output.empty() || !outcome.errors.empty() || !outcome.log.empty() ||
           outcome.usage.bytes_added > 0;
}

/// Into this node's store.
Result<void>
store_streams(const RunParts& parts, const executor::Outcome& outcome, FinishedRun& run) {
    run.output = TRY(add_stream(parts, outcome.output));
    run.errors = TRY(add_stream(parts, outcome.errors));
    run.log = TRY(add_stream(parts, outcome.log));
    if (has_results(outcome)) {
        TRY(parts.store.sync()); // Before a receipt says that it is kept.
    }
    return {};
}

/// What others cannot have yet.
std::vector<Cid> results_of(const FinishedRun& run, std::vector<Cid> added) {
    for (const std::optional<Cid>& stream : {run.output, run.errors, run.log}) {
        if (stream) {
            added.push_back(*stream);
        }
    }
    std::erase_if(added, [](const Cid& cid) { return cid.hash() == HashCode::identity; });
    return added;
}

void fail(FinishedRun& run, Error error) {
    error = of_this_machine(std::move(error)).during("storing the results");
    run.is_kept = error.code == Errc::lease_lost || error.code == Errc::cancelled ||
                  error.code == Errc::worker_lost; // Told to stop: no fault of this machine.
    run.ending = job::Ending{};
    run.ending.error = error.code;
    run.ending.message = std::move(error.message);
}

std::chrono::milliseconds capped_ms(std::uint64_t ms) {
    return std::chrono::milliseconds(std::min(ms, job::limits::duration_ms_max));
}

/// What the job names has to be here before its guest runs, where it would come from elsewhere.
executor::Outcome fetch_and_run(const RunParts& parts,
                                const executor::Task& task,
                                const executor::Permit& permit,
                                BrokerHost& host) {
    Result<void> fetched = parts.open_reader ? host.fetch(task.spec) : Result<void>();
    const std::uint64_t fetch_us = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(host.fetch_time()).count());
    executor::Outcome outcome;
    if (fetched) {
        outcome = parts.executor.run(task, permit, host);
    } else {
        Error error = std::move(fetched).take_error();
        outcome.ending.error = error.code;
        outcome.ending.message = std::move(error.message);
    }
    outcome.usage.fetch_us += fetch_us;
    return outcome;
}

} // namespace

FinishedRun run_and_store(const RunParts& parts,
                          const job::Invocation& invocation,
                          const job::JobIds& ids,
                          const job::LeaseRef& lease,
                          const executor::Permit& permit,
                          RunObserver& observer) {
    executor::Task task{.lease = lease,
                        .spec = invocation.spec,
                        .seed = {},
                        .owner = std::string(text_of(invocation.issuer.bytes))};
    const ByteView digest = ids.computation.digest();
    std::copy_n(digest.begin(), std::min(digest.size(), task.seed.size()), task.seed.begin());

    Result<std::unique_ptr<WriteSession>> session = parts.store.begin_session();
    BrokerHost host(parts,
                    permit,
                    observer,
                    {.time_max = capped_ms(invocation.timeouts.fetch_ms_max),
                     .run_time_max = capped_ms(invocation.spec.limits.wall_ms_max),
                     .providers = invocation.providers});
    executor::Outcome outcome = fetch_and_run(parts, task, permit, host);

    FinishedRun run{.ending = std::move(outcome.ending),
                    .output = std::nullopt,
                    .errors = std::nullopt,
                    .log = std::nullopt,
                    .usage = outcome.usage,
                    .is_kept = !host.lost_an_add(),
                    .to_hand_on = {},
                    .session = nullptr};
    const Instant start = now_since_boot();
    observer.stage(job::Stage::publishing);
    if (!session && has_results(outcome)) { // A collection could take them before anybody has them.
        fail(run, std::move(session).take_error());
    } else if (Result<void> stored = store_streams(parts, outcome, run); !stored) {
        fail(run, std::move(stored).take_error());
    } else if (parts.publish && !permit.stop_reason()) { // Of a stopped run nobody takes them.
        run.to_hand_on = results_of(run, host.added());
    }
    run.usage.publish_us = microseconds_since(start);
    if (session && has_results(outcome)) {
        run.session = std::move(session).take();
    }
    return run;
}

void hand_on_results(const RunParts& parts,
                     const job::StageTimeouts& timeouts,
                     const executor::Permit& permit,
                     FinishedRun& run) {
    if (run.to_hand_on.empty()) {
        return;
    }
    const Instant start = now_since_boot();
    const std::vector<Cid> results = std::exchange(run.to_hand_on, {});
    if (Result<void> handed_on = hand_on(parts, results, timeouts.publish_ms_max, permit);
        !handed_on) {
        fail(run, std::move(handed_on).take_error());
    }
    run.usage.publish_us += microseconds_since(start);
}

FinishedRun run_job(const RunParts& parts,
                    const job::Invocation& invocation,
                    const job::JobIds& ids,
                    const job::LeaseRef& lease,
                    const executor::Permit& permit,
                    RunObserver& observer) {
    FinishedRun run = run_and_store(parts, invocation, ids, lease, permit, observer);
    hand_on_results(parts, invocation.timeouts, permit, run);
    return run;
}

job::Receipt receipt_of(const FinishedRun& run,
                        const job::JobIds& ids,
                        const job::LeaseRef& lease,
                        const job::WorkerRef& worker,
                        std::string software,
                        UnixSeconds finished_at,
                        std::vector<std::string> providers) {
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
        .providers = std::move(providers),
    };
}

} // namespace ic::worker
