#pragma once
/// What is written to the ledger and read back from it: values. Columns: docs/formats/ledger.md.

#include "base/bytes.h"
#include "base/result.h"
#include "job/ids.h"
#include "job/message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ic::ledger {

/// Milliseconds since 1970-01-01 UTC: what people are shown. No rule of the protocol reads it.
struct UnixMillis {
    std::int64_t value = 0;

    friend auto operator<=>(const UnixMillis&, const UnixMillis&) = default;
};

/// Reads the wall clock. Not for pure code.
UnixMillis now_unix_millis();

/// Milliseconds since a boot (CLOCK_BOOTTIME): what no step of the wall clock changes. Compared
/// with those of the same boot alone.
struct BootMillis {
    std::string boot_id; ///< As ic::boot_id gives it.
    std::int64_t value = 0;

    friend bool operator==(const BootMillis&, const BootMillis&) = default;
};

enum class JobState : std::uint8_t {
    open = 1,      ///< Accepted; somebody owes it an end.
    finished = 2,  ///< A receipt was accepted (the run itself may have failed).
    failed = 3,    ///< Ended by an error of ours, without a receipt.
    cancelled = 4, ///< Ended by somebody who may.
};

/// The stable word in column `jobs.state`.
std::string_view name(JobState state);
/// Inverse of `name`.
std::optional<JobState> job_state_of(std::string_view word);

using Labels = std::vector<std::pair<std::string, std::string>>;

// --- what a coordinator writes -------------------------------------------------------------------

/// The job is ours now. Written again by its owner (same job CID): no change; by another process:
/// refused.
struct JobAccepted {
    job::JobIds ids;
    PublicKey submitter;
    job::Instance owner; ///< The coordinator's process; another one after an adoption.
    Bytes invocation;    ///< The signed document.
    Labels labels;
    std::uint32_t priority = 0;
    UnixMillis at;
    std::optional<BootMillis> at_since_boot{}; ///< The same moment; nothing if it is not known.
};

/// A grant, written before it is sent. Raises the job's count of attempts.
struct JobGranted {
    Cid job;
    job::Epoch epoch;
    job::WorkerRef worker;
    std::uint64_t duration_ms = 0; ///< Of the lease: what a process that adopts the job waits out.
    UnixMillis at;
};

/// The holder of this grant is proven to run the job no more; the job is open again. A recovery
/// must not wait for it.
struct GrantReleased {
    Cid job;
    job::Epoch epoch;
    std::uint32_t attempts_failed = 0; ///< So far, this one included if it failed.
    std::optional<Errc> error;         ///< Why; nothing if it was handed back unstarted.
    std::string message;
    UnixMillis at;
};

/// The job will not be granted again; its end follows when its holder has stopped. Survives the
/// process that was asked.
struct CancelAsked {
    Cid job;
    Errc reason = Errc::cancelled;
    UnixMillis at;
};

/// The job has come to a stage.
struct StageReached {
    Cid job;
    std::uint32_t attempt = 0;
    job::Stage stage = job::Stage::accepted;
    std::optional<job::Instance> worker;
    UnixMillis at;
};

/// Ends an open job with its accepted receipt; no change if the job has ended already.
struct JobFinished {
    Cid job;
    Cid computation;
    Cid receipt_cid;
    Bytes receipt;
    job::Epoch epoch;
    job::WorkerRef worker;
    std::optional<Errc> error; ///< Of the run, from the receipt's ending.
    std::string message;
    bool memoizable = false;
    bool from_memo =
        false; ///< Answered from an older job's receipt; that receipt stays that job's.
    UnixMillis at;
};

/// Ends an open job without a receipt: `failed`, or `cancelled` where that is the error.
struct JobFailed {
    Cid job;
    Errc error = Errc::internal;
    std::string message;
    UnixMillis at;
};

/// A receipt that did not end its job, kept to be compared: duplicate, stale or refused.
struct ReceiptKept {
    Cid job;
    Cid computation;
    Cid receipt_cid;
    Bytes receipt;
    job::Epoch epoch;
    job::WorkerRef worker;
    job::ReceiptFate fate = job::ReceiptFate::duplicate;
    UnixMillis at;
};

/// A worker that was looked at for the job, and why it did not run it. One row a worker and job:
/// the latest word stands.
struct WorkerConsidered {
    Cid job;
    job::WorkerRef worker;
    std::string reason;  ///< A short word: an error's name, "outbid", ...
    std::string message; ///< For people.
    UnixMillis at;
};

using Record = std::variant<JobAccepted,
                            JobGranted,
                            GrantReleased,
                            CancelAsked,
                            StageReached,
                            JobFinished,
                            JobFailed,
                            ReceiptKept,
                            WorkerConsidered>;

/// Whose record it is.
const Cid& job_of(const Record& record);

// --- what is read back ---------------------------------------------------------------------------

/// One row of `jobs`.
struct JobRow {
    std::uint64_t sequence = 0; ///< Order of acceptance in this home; a page's cursor.
    job::JobIds ids;
    PublicKey submitter;
    job::Instance owner;
    JobState state = JobState::open;
    job::Stage stage = job::Stage::accepted; ///< The last one reached.
    std::uint32_t attempts = 0;
    std::uint32_t priority = 0;
    Labels labels;
    std::optional<Errc> error;
    std::string message;
    bool from_memo = false;
    UnixMillis accepted_at;
    std::optional<UnixMillis> ended_at;
};

struct GrantRow {
    job::Epoch epoch;
    job::WorkerRef worker;
    std::uint64_t duration_ms = 0;
    bool released = false; ///< By a GrantReleased.
    UnixMillis at;
};

struct ReceiptRow {
    Cid cid;
    Bytes receipt;
    job::Epoch epoch;
    job::WorkerRef worker;
    job::ReceiptFate fate = job::ReceiptFate::accepted;
    UnixMillis at;
};

/// All about one job. Lists are in the order of time.
struct JobDetail {
    JobRow row;
    Bytes invocation;
    std::vector<StageReached> stages;
    std::vector<GrantRow> grants;
    std::vector<ReceiptRow> receipts; ///< For a job answered from the memo: the answering receipt.
    std::vector<WorkerConsidered> considered;
};

/// An open job of a process that is gone, as its new owner gets it.
struct AdoptedJob {
    JobRow row;
    Bytes invocation;
    std::optional<BootMillis> accepted_since_boot; ///< As `row.accepted_at`.
    std::optional<GrantRow> last_grant;
    std::uint32_t attempts_failed = 0; ///< Of the last GrantReleased.
    std::optional<Error> first_error;  ///< Of the first GrantReleased that has one.
    std::optional<Error> last_error;   ///< Of the last GrantReleased that has one.
    std::optional<Errc> cancel_asked;  ///< Of a CancelAsked.
};

struct Adoption {
    std::uint64_t incarnation =
        0; ///< New and durable; what the adopted jobs' next epochs begin with.
    std::vector<AdoptedJob> jobs;
};

/// What a job reads and has written, for who decides which blocks to keep.
struct JobContent {
    std::optional<Bytes> invocation; ///< Of a job that is open or has ended lately.
    std::optional<Bytes> receipt;    ///< An accepted one that answered such a job.
};

/// Which jobs `list` gives: newest first; all conditions hold at once.
struct JobFilter {
    std::optional<JobState> state;
    Labels labels;                       ///< Each name with exactly this value.
    std::optional<std::uint64_t> before; ///< Cursor: only sequences below this one.
    std::size_t limit = 100;             ///< At most `limits::list_page_max`.
};

namespace limits {
inline constexpr std::size_t list_page_max = 1000;
/// Ended jobs kept: so that a busy home's ledger stays some hundreds of megabytes at most. Ours.
inline constexpr std::uint64_t ended_jobs_max = 200'000;
/// Ended jobs kept, by age. Ours.
inline constexpr std::int64_t ended_age_ms_max = 30LL * 24 * 3600 * 1000;
/// Ended jobs deleted in one transaction, so that nobody waits long behind it.
inline constexpr std::size_t pruned_per_commit_max = 200;
/// Records waiting to be written, over all submissions; beyond it a submission is refused, unless
/// none waits before it.
inline constexpr std::size_t queued_records_max = 100'000;
/// How long a commit waits for other processes' commits.
inline constexpr std::int64_t busy_ms_max = 5'000;
} // namespace limits

} // namespace ic::ledger
