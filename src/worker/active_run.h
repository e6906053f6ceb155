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
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace ic::worker {

/// How a run that waits for a slot goes on: the slot's thread and the loop both want to decide.
enum class Claim : std::uint8_t { none, slot, loop };

/// What a run has written and those who look on have not seen. Threads: any.
class LiveOutput {
public:
    /// Drops what is beyond the bound: the receipt's CIDs have it; a gap ends what is shown live.
    void add(job::Output piece) {
        const std::lock_guard lock(mutex_);
        if (bytes_ + piece.data.size() > waiting_bytes_max) {
            return;
        }
        bytes_ += piece.data.size();
        waiting_.push_back(std::move(piece));
    }

    /// In order.
    std::vector<job::Output> take() {
        const std::lock_guard lock(mutex_);
        bytes_ = 0;
        return std::exchange(waiting_, {});
    }

private:
    /// Ours: pieces waiting for the next report.
    static constexpr std::size_t waiting_bytes_max = 64U << 10U;

    std::mutex mutex_;
    std::vector<job::Output> waiting_;
    std::size_t bytes_ = 0;
};

/// A run as the loop sees it. Shared by the loop and the slot's thread: either may be the last.
struct ActiveRun {
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

    LiveOutput output;
};

/// A run that has ended, before its receipt is signed.
struct StoredRun {
    job::JobIds ids;
    job::StageTimeouts timeouts;
    LentBytes invocation; ///< The job's document, where somebody keeps it.
    FinishedRun run;
};

} // namespace ic::worker
