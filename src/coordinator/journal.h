#pragma once
/// Journal: what the lease machine wants kept, in the ledger's words, and back.

#include "base/result.h"
#include "base/time.h"
#include "job/invocation.h"
#include "lease/coordinator.h"
#include "ledger/records.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ic::coordinator {

/// What the runtime knows of a job that the machine does not carry.
struct JobFacts {
    job::JobIds ids;
    ledger::Labels labels;
};

/// Finds facts by job; nullptr for a job that is not open.
using FindFacts = std::function<const JobFacts*(const Cid&)>;

/// A moment on both clocks, read together.
struct Moment {
    Instant since_boot;
    ledger::UnixMillis wall;
    std::string boot_id; ///< Of the boot that `since_boot` counts from; empty: not known.
};

namespace limits {
/// Ours: what an adopted job counts as at most, whatever the clocks say. No total timeout is longer
/// (lease::Coordinator), so nothing depends on more.
inline constexpr std::chrono::hours adopted_age_max{365 * 24};
} // namespace limits

/// The ledger's records for one commit of the machine's. `view_of` gives the machine's view of a
/// job that ends, for "why (not) this worker".
std::vector<ledger::Record>
to_ledger(const std::vector<lease::Record>& records,
          const job::Instance& owner,
          const FindFacts& facts_of,
          const std::function<std::optional<lease::JobView>(const Cid&)>& view_of,
          const Moment& at);

/// How an ended job is told to those who ask later.
job::Outcome outcome_of(const ledger::JobDetail& detail);

/// What became of the receipt of this lease: accepted, or stale.
job::ReceiptFate fate_of(const ledger::JobDetail& detail, const job::Epoch& epoch);

/// How much of what a job needs is in this home's store.
using Locate = std::function<lease::Locality(const job::JobSpec&)>;

/// A job as the machine takes it. `locate` may be empty. Requires: `signed_invocation` has been
/// looked at.
lease::JobEntry entry_of(const job::SignedInvocation& signed_invocation,
                         const job::JobIds& ids,
                         const Locate& locate);

/// A job read back. Its age is that of the clock since boot where it was accepted in this boot, so
/// that no step of the wall clock ends it; else that of the wall clock, which may have been set
/// meanwhile. `is_dead` tells of the holder of its last grant. Errors: of the document.
Result<lease::RecoveredJob> recovered_of(const ledger::AdoptedJob& job,
                                         const std::function<bool(const job::Instance&)>& is_dead,
                                         const Moment& now);

/// The end of a job whose document this version cannot read any more: never forgotten means that it
/// ends.
ledger::JobFailed
unreadable(const ledger::AdoptedJob& job, const Error& error, ledger::UnixMillis at);

} // namespace ic::coordinator
