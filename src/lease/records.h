#pragma once
/// What a coordinator knows of a job when it takes it, and what it asks the ledger to keep.

#include "base/bytes.h"
#include "base/time.h"
#include "job/ids.h"
#include "job/labels.h"
#include "job/message.h"
#include "job/spec.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ic::lease {

/// How much of what a job needs is on a machine, as far as it can be told: bytes.
struct Locality {
    std::uint64_t bytes_needed = 0;
    std::uint64_t bytes_local = 0;

    friend bool operator==(const Locality&, const Locality&) = default;
};

/// A job whose document, signature and policy have been looked at.
struct JobEntry {
    job::JobIds ids;
    PublicKey submitter;        ///< Shares of the queue are counted by it.
    std::uint32_t priority = 0; ///< 0 to 9, 9 first.
    job::Effects effects = job::Effects::pure;
    job::StageTimeouts timeouts;
    /// Compile and wall maxima together: what one run may take beyond fetching and publishing.
    std::chrono::milliseconds run_max{80'000};
    LentBytes invocation;                       ///< The signed document.
    std::vector<job::Constraint> constraints{}; ///< Of the labels of the worker that runs it.
    Locality here{}; ///< In the coordinator's own store, which workers of its home share.
};

/// The job is ours to finish. From `journaled` on it may be said to be accepted.
struct AcceptedRecord {
    JobEntry entry;
};

/// A lease is about to be given out. `attempt` counts from 1.
struct GrantedRecord {
    job::LeaseRef lease;
    job::WorkerRef worker;
    std::chrono::milliseconds duration{};
    std::uint32_t attempt = 0;
};

/// Its holder is proven to run this lease no more; the job is open again.
struct ReleasedRecord {
    job::LeaseRef lease;
    std::uint32_t attempts = 0; ///< Failed ones so far.
    std::optional<Errc> error;  ///< Why; nothing if it was merely handed back unstarted.
    std::string message;
};

/// It will not be granted again; finished follows when its holder has stopped.
struct CancelAskedRecord {
    Cid job;
    Errc reason = Errc::cancelled;
};

/// The end.
struct FinishedRecord {
    Cid job;
    std::optional<job::LeaseRef> lease{}; ///< Of the receipt.
    std::optional<Bytes> receipt{};
    std::optional<Errc> error{}; ///< Where no receipt ended it.
    std::string message{};
    std::uint32_t attempts = 0;
    bool from_memo = false;
};

using Record =
    std::variant<AcceptedRecord, GrantedRecord, ReleasedRecord, CancelAskedRecord, FinishedRecord>;

/// Tokens are given out in order, 1 first; the ledger writes in that order too.
using JournalToken = std::uint64_t;

/// What the kernel says of the process that holds a grant.
enum class HolderFate : std::uint8_t {
    dead,    ///< Nothing of it runs: its lock is free, its pipe at the end.
    unknown, ///< Alive, or not to be told: its lease is waited out, or renewed.
};

/// A job read back from the ledger: at start, or taken over from a process that is dead.
struct RecoveredJob {
    JobEntry entry;
    Instant accepted_at; ///< As well as it can be told; the total timeout counts from it.
    std::uint32_t attempts = 0;
    std::optional<GrantedRecord> granted{}; ///< The last one, unless it was released after.
    HolderFate holder = HolderFate::unknown;
    std::optional<CancelAskedRecord> cancel_asked{};
    std::optional<Error> first_error{};
    std::optional<Error> last_error{};
};

} // namespace ic::lease
