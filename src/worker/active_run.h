#pragma once
/// A run between its grant and its receipt, as the loop and the threads that work on it share it.

#include "base/result.h"
#include "base/time.h"
#include "blockstore/blockstore.h"
#include "job/ids.h"
#include "job/invocation.h"
#include "job/message.h"
#include "job/policy.h"
#include "worker/chronicle.h"
#include "worker/lease_permit.h"
#include "worker/run_job.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ic::worker {

/// How a run that waits for a slot goes on: the slot's thread and the loop both want to decide.
enum class Claim : std::uint8_t { none, slot, loop };

namespace limits {
/// Ours: a stage that lasts less is not reported, nor is output sent ahead of a receipt that is
/// about to say it all. Keeps short jobs at two messages each way.
inline constexpr std::chrono::milliseconds report_after{30};
/// Ours: what waits of one run for its next report, with a share for each piece; and of its log
/// lines for the loop. A guest that writes faster than that is not shown whole while it runs.
inline constexpr std::size_t live_bytes_max = 64U << 10U;
inline constexpr std::size_t live_piece_bytes = 64;
} // namespace limits

/// What a run has written and those who look on have not seen: bounded, whatever a guest writes.
/// Threads: any.
template <class Piece>
class Live {
public:
    /// Drops what is beyond the bound. Whether it is the first that waits: whoever takes it has to
    /// be told then, and only then.
    bool add(Piece piece, std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        const std::size_t cost = bytes + limits::live_piece_bytes;
        if (bytes_ + cost > limits::live_bytes_max) {
            ++dropped_;
            return false;
        }
        bytes_ += cost;
        waiting_.push_back(std::move(piece));
        return waiting_.size() == 1;
    }

    struct Taken {
        std::vector<Piece> pieces; ///< In order.
        std::uint64_t dropped = 0; ///< How many came after them, and are not here.
    };

    Taken take() {
        const std::lock_guard lock(mutex_);
        bytes_ = 0;
        return {.pieces = std::exchange(waiting_, {}), .dropped = std::exchange(dropped_, 0)};
    }

private:
    std::mutex mutex_;
    std::vector<Piece> waiting_;
    std::size_t bytes_ = 0;
    std::uint64_t dropped_ = 0;
};

/// A run as the loop sees it. Shared by the loop and the slot's thread: either may be the last.
struct ActiveRun : std::enable_shared_from_this<ActiveRun> {
    ActiveRun(job::LeaseRef l, job::Instance c, std::shared_ptr<const job::Policy> p, Instant until)
        : lease(std::move(l))
        , coordinator(c)
        , policy(std::move(p))
        , permit(until) {}

    const job::LeaseRef lease;
    const job::Instance coordinator;
    const std::shared_ptr<const job::Policy> policy; ///< Of when it was granted.
    const Instant granted = now_since_boot();
    LeasePermit permit;
    std::atomic<Claim> claim{Claim::none};
    std::atomic<std::uint8_t> stage{0};
    std::uint8_t reported_stage = 0; // Of the loop's thread.

    // Of the slot's thread until it has ended.
    std::shared_ptr<WriteSession> session;
    std::optional<Error> not_kept; ///< Why its results are not here.
    bool is_proof = false;         ///< They are, and are something.
    RunReport report{.lease = lease, .granted = granted};

    /// For those who follow the job; the receipt's CIDs have all, and a gap ends what is shown.
    Live<job::Output> output;
    Live<std::string> log_lines; ///< For this worker's own log.
};

/// Who looks on while a run goes, for the loop. Threads: the run's. Lifetime: within that of the
/// run.
class LiveObserver final : public RunObserver {
public:
    /// Called when lines, or output, wait for somebody who takes them; on the run's thread.
    struct Calls {
        std::function<void()> log;
        std::function<void()> output;
    };

    LiveObserver(ActiveRun& run, Calls calls) : run_(run), calls_(std::move(calls)) {}

    void stage(job::Stage stage) override {
        run_.stage.store(static_cast<std::uint8_t>(stage), std::memory_order_relaxed);
        run_.report.stages.push_back({.stage = stage, .at = now_since_boot()});
    }

    void log(std::string_view line) override {
        if (run_.log_lines.add(std::string(line), line.size())) {
            calls_.log();
        }
    }

    void output(job::Stream stream, std::uint64_t offset, ByteView data) override {
        const bool first = run_.output.add(
            {.lease = run_.lease, .stream = stream, .offset = offset, .data = copy_of(data)},
            data.size());
        // What comes earlier goes with the first report, if the run still goes on then.
        if (first && now_since_boot() - started_ >= limits::report_after) {
            calls_.output();
        }
    }

    void trace(std::string_view /*line*/) override {} // Jobs of others are not debugged.

    void dump(executor::Dump /*kind*/, ByteView /*piece*/) override {}

private:
    ActiveRun& run_;
    const Calls calls_;
    const Instant started_ = now_since_boot();
};

/// A run that has ended, before its receipt is signed.
struct StoredRun {
    job::JobIds ids;
    job::StageTimeouts timeouts;
    LentBytes invocation; ///< The job's document, where somebody keeps it.
    FinishedRun run;
};

} // namespace ic::worker
