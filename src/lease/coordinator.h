#pragma once
/// Coordinator: takes jobs, grants each to one worker at a time, takes one receipt. A state
/// machine: events in (its public functions), actions out (`take_actions`). It does no I/O, reads
/// no clock, draws no random number. The rules are in docs/formats/protocol.md.
///
/// The runtime calls one event after another with a clock that never goes back, carries out the
/// actions in order, and calls `time` when `next_deadline` has come.
/// Threads: one.

#include "lease/idle_workers.h"
#include "lease/options.h"
#include "lease/records.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ic::lease {

struct Send {
    job::Instance to; ///< May be this very process: its own worker.
    job::Message message;
};

/// To every node, this process's own worker included.
struct Announcement {
    job::Message message;
};

/// Make these durable, all or none, after everything asked for before; then call
/// `journaled(token)`. A commit that fails is tried again by the runtime (which refuses new jobs
/// meanwhile): the machine waits, and says nothing that depends on it.
struct Journal {
    JournalToken token = 0;
    std::vector<Record> records;
};

/// For those who watch the job.
struct Notify {
    Cid job;
    std::variant<job::Accepted, job::Rejected, job::Progress, job::Outcome> what;
};

/// A receipt for a job that this machine does not remember. The runtime looks it up in the ledger:
/// finished there: it answers (duplicate or stale); else it says nothing.
struct UnknownReceipt {
    job::Instance from;
    job::LeaseRef lease;
};

using CoordinatorAction = std::variant<Send, Announcement, Journal, Notify, UnknownReceipt>;

/// What the runtime read in a receipt, and whether it is what it claims to be: the worker's own
/// signature, this job's ids, the lease's epoch and the worker's instance.
struct ReceiptFacts {
    bool valid = false;
    std::optional<Errc> error; ///< The ending's; `may_retry` decides whether the job goes on.
    std::string message;       ///< The ending's.
};

/// Why a worker ran a job, or did not.
enum class Verdict : std::uint8_t {
    granted,     ///< It has, or had, the lease.
    finished,    ///< Its receipt was taken.
    not_chosen,  ///< It was free; another one's bid was taken.
    no_bid,      ///< It had offered no slot when the job was granted.
    declined,    ///< It said no (policy, features).
    handed_back, ///< It gave the lease back.
    failed,      ///< Its run ended for a reason that may pass.
    lost,        ///< It is gone, or silent until the lease was over.
};

std::string_view name(Verdict verdict);

struct WorkerNote {
    job::WorkerRef worker{};
    Verdict verdict = Verdict::no_bid;
    std::optional<Errc> reason{};
    std::string message{};
    Instant at{};
};

enum class JobState : std::uint8_t { queued, granted, cancelling, ending, finished };

/// A copy of what the machine knows of a job, for people.
struct JobView {
    JobState state = JobState::queued;
    std::uint32_t attempts_failed = 0;
    std::optional<job::LeaseRef> lease;
    std::optional<job::WorkerRef> worker;
    std::uint8_t stage = 0; ///< job::Stage.
    std::optional<Error> first_error;
    std::optional<Error> last_error;
    std::vector<WorkerNote> notes;
};

struct CoordinatorCounts {
    std::size_t open = 0;
    std::size_t queued = 0;
    std::size_t bids = 0;
    std::size_t peers = 0;
};

/// Whose store a node has: what is in this home's, all nodes of the home have.
enum class StoreOf : std::uint8_t { this_home, another };

class Coordinator {
public:
    struct Self {
        job::Instance instance;
        PublicKey key;
        /// Durable, and greater than any that this ledger gave out before.
        std::uint64_t incarnation = 0;
    };

    /// `idle` outlives it; null: nobody is probed. Requires: `check(options)` is ok.
    Coordinator(const Self& self, const CoordinatorOptions& options, IdleWorkers* idle = nullptr);
    ~Coordinator();
    Coordinator(Coordinator&&) = delete;

    // --- events ---

    /// A client's job, checked. Ends in Notify{Accepted} once journaled, or Notify{Rejected}
    /// (unavailable: too many open). The same job again: Accepted with known_before, and its
    /// Outcome if it has one. (A job that only the ledger remembers is the runtime's to answer.)
    void submit(JobEntry entry, Instant now);

    /// The same for a pure job whose answer the runtime found in the memo: accepted and finished
    /// in one commit.
    void submit_answered(JobEntry entry, Bytes receipt, Instant now);

    /// From a worker: Advert, Bid, Withdraw, Decline, Renew, HandBack, StageReport, OpenJobsQuery.
    /// Other kinds are ignored: a client's are the runtime's, a ReceiptMessage goes to `receipt`.
    void message(const job::Instance& from, job::Message message, Instant now);

    void receipt(const job::Instance& from,
                 job::ReceiptMessage message,
                 const ReceiptFacts& facts,
                 Instant now);

    /// Every Journal up to and including `token` is durable.
    void journaled(JournalToken token, Instant now);

    /// Another process of this home has accepted the job first: the ledger refused the record that
    /// would have made it ours. Forgets it without a word; no grant of it has been sent. To be
    /// called before its Journal is said to be durable.
    void disown(const Cid& job, Instant now);

    /// A node is there (again).
    void peer_seen(const job::Instance& peer, Instant now, StoreOf store = StoreOf::another);

    /// It went without proof of death: its bids are void, its leases run out.
    void peer_silent(const job::Instance& peer, Instant now);

    /// Proof that nothing of it runs any more: its leases are open at once.
    void peer_dead(const job::Instance& peer, Instant now);

    /// Jobs taken from the ledger, at start or by adoption. `incarnation` is a new one, durable;
    /// all later grants of this machine carry it.
    void recovered(std::vector<RecoveredJob> jobs, std::uint64_t incarnation, Instant now);

    /// False if the job is not open here. Ends in Notify{Outcome}: after it no guest of this job
    /// starts or runs (a lease that cannot be called back is waited out).
    bool cancel(const Cid& job, Errc reason, Instant now);

    void time(Instant now);

    // --- what comes of them ---

    /// In the order in which they must be carried out.
    std::vector<CoordinatorAction> take_actions();

    /// When to call `time`; never() if nothing waits.
    Instant next_deadline() const;

    /// Nothing for a job that is neither open nor remembered.
    std::optional<JobView> view(const Cid& job) const;
    CoordinatorCounts counts() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace ic::lease
