#pragma once
/// Worker: bids for jobs, holds leases, has runs started and stopped, sends receipts until they are
/// answered. A state machine: events in (its public functions), actions out (`take_actions`). It
/// does no I/O, reads no clock; fresh nonces come from outside. Rules: docs/formats/protocol.md.
///
/// Threads: one.

#include "lease/coordinator.h"
#include "lease/options.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ic::lease {

/// Gives nonces that were never given before, on this machine or any other: 16 random bytes.
class NonceSource {
public:
    virtual ~NonceSource() = default;
    virtual job::Nonce next() = 0;
};

/// Who is meant by an announcement.
enum class Call : std::uint8_t {
    by_score, ///< All, of whom the scores for the job say who bids.
    by_name,  ///< This worker.
};

Call call_of(const job::Announce& announce);

/// Run this on a free slot. Ends with `run_finished`. Before the guest starts and while it runs,
/// the runner compares `lease_until` (and what LeaseUntil says later) with the clock itself.
struct StartRun {
    job::LeaseRef lease;
    job::Instance coordinator;
    Bytes invocation;
    Instant lease_until;
};

/// Stop it, whatever it is at; `run_finished` follows as always.
struct StopRun {
    job::LeaseRef lease;
    Errc reason = Errc::lease_lost;
};

/// The lease now holds until then: for the word that the executor reads.
struct LeaseUntil {
    job::LeaseRef lease;
    Instant until;
};

using WorkerAction = std::variant<Send, Announcement, StartRun, StopRun, LeaseUntil>;

/// How a run ended.
struct RunEnd {
    /// A signed receipt: whatever the guest did, success, trap, limit. Nothing if there was no run
    /// worth one (refused by policy, stopped, not started).
    std::optional<Bytes> receipt;
    Errc reason = Errc::unavailable; ///< Where there is none: what the hand-back says.
    std::string message;
};

struct WorkerCounts {
    std::uint32_t slots = 0;
    std::uint32_t slots_free = 0;
    std::size_t leases = 0;
    std::size_t receipts_unanswered = 0;
    std::size_t bids = 0;
};

class Worker {
public:
    /// Requires: `check(options)` is ok; `nonces` outlives this.
    Worker(const job::WorkerRef& self, const WorkerOptions& options, NonceSource& nonces);
    ~Worker();
    Worker(Worker&&) = delete;

    // --- events ---

    /// Places the first standing bids, with this process's own coordinator.
    void start(Instant now);

    /// From a coordinator: Announce, Grant, RenewAnswer, ReceiptAnswer, Cancel. Others are ignored.
    /// An Announce of a job that policy refuses goes to `decline` instead.
    void message(const job::Instance& from, job::Message message, Instant now);

    /// An Announce of a job of which this is known: as `message`.
    void announced(const job::Instance& from,
                   const Cid& job,
                   const Locality& locality,
                   Call call,
                   Instant now);

    /// Tells a coordinator that its job will not run here.
    void decline(const job::Instance& coordinator,
                 const Cid& job,
                 Errc reason,
                 std::string message,
                 Instant now);

    /// The run has come to this stage.
    void stage(const job::LeaseRef& lease, job::Stage stage, Instant now);

    /// Nothing of the run is alive any more.
    void run_finished(const job::LeaseRef& lease, RunEnd end, Instant now);

    /// A node is there (again): it gets an advert, and is asked for open jobs.
    void peer_seen(const job::Instance& peer, Instant now);
    /// Gone, without proof of death or with: its leases are renewed with whoever answers for them.
    void peer_silent(const job::Instance& peer, Instant now);
    void peer_dead(const job::Instance& peer, Instant now);

    /// How many runs may be at once from now on (running ones go on).
    void set_slots(std::uint32_t slots, Instant now);

    /// As many workers are on the network, as far as this node can tell; 0: few, or not known.
    void set_network_size(std::uint64_t workers);

    /// Blocks on this machine, as last counted: for adverts.
    void set_store_bytes(std::uint64_t bytes);

    /// No more bids; what runs goes on to its end.
    void drain(Instant now);

    void time(Instant now);

    // --- what comes of them ---

    std::vector<WorkerAction> take_actions();
    Instant next_deadline() const;

    /// Drained, nothing running, every receipt answered.
    bool idle() const;
    WorkerCounts counts() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace ic::lease
