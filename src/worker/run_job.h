#pragma once
/// One job from signed invocation to what a receipt says: run, add what came out.

#include "base/result.h"
#include "blockstore/write_session.h"
#include "job/invocation.h"
#include "job/receipt.h"
#include "worker/broker_host.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ic::worker {

/// A run that has ended, with its outputs stored.
struct FinishedRun {
    job::Ending ending;
    std::optional<Cid> output;
    std::optional<Cid> errors;
    std::optional<Cid> log;
    job::Usage usage;
    /// False: this machine could not keep or hand on what came of it; the ending says why.
    bool is_kept = true;
    std::vector<Cid> to_hand_on; ///< Results that are nowhere but here yet.
    /// Keeps what was stored from collections until something names it; nothing if nothing was.
    std::shared_ptr<WriteSession> session;

    /// Whether anything came of it that has to be kept.
    bool has_results() const { return output || errors || log || usage.bytes_added > 0; }
};

/// Runs the job on this thread and stores what it wrote, whatever the ending. Blocks until nothing
/// of it is alive and what it added is on the disk. A failure to store becomes the ending,
/// one that lets the job go on elsewhere.
FinishedRun run_and_store(const RunParts& parts,
                          const job::Invocation& invocation,
                          const job::JobIds& ids,
                          const job::LeaseRef& lease,
                          const executor::Permit& permit,
                          RunObserver& observer);

/// Hands the results of such a run on to the network, within its timeout; needs no executor. A
/// failure becomes the ending. Blocks.
void hand_on_results(const RunParts& parts,
                     const job::StageTimeouts& timeouts,
                     const executor::Permit& permit,
                     FinishedRun& run);

/// Both, one after the other.
FinishedRun run_job(const RunParts& parts,
                    const job::Invocation& invocation,
                    const job::JobIds& ids,
                    const job::LeaseRef& lease,
                    const executor::Permit& permit,
                    RunObserver& observer);

/// The receipt of a finished run, unsigned.
job::Receipt receipt_of(const FinishedRun& run,
                        const job::JobIds& ids,
                        const job::LeaseRef& lease,
                        const job::WorkerRef& worker,
                        std::string software,
                        UnixSeconds finished_at,
                        std::vector<std::string> providers = {});

} // namespace ic::worker
