#pragma once
/// The inside of Coordinator, shared by its source files alone.

#include "lease/coordinator.h"
#include "lease/fair_queue.h"
#include "lease/fault.h"

#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ic::lease {

struct Coordinator::Impl {
    using Ms = std::chrono::milliseconds;

    struct Job {
        std::uint64_t number = 0; ///< Order of arrival: what every ordered container goes by.
        JobEntry entry;
        JobState state = JobState::queued;
        bool accepted_durable = false;
        Instant accepted_at;
        std::uint32_t attempts_failed = 0;
        std::optional<Error> first_error;
        std::optional<Error> last_error;
        std::uint8_t stage = static_cast<std::uint8_t>(job::Stage::accepted);
        std::vector<WorkerNote> notes;
        std::vector<job::Instance> refused_by;        ///< Not to be granted to these.
        std::map<job::Instance, std::uint64_t> local; ///< Bytes that workers said they have of it.

        // While it waits.
        bool in_queue = false;
        Instant retry_at;      ///< Not before then back into the queue.
        Ms pass_pause{};       ///< The last one, since it was queued.
        Instant announce_from; ///< Not before then announced.
        Instant queued_since;  ///< Of the queue stage.
        Instant announce_at = Instant::never();
        Ms announce_pause{};
        bool is_probed = false;        ///< Since it was queued.
        std::uint32_t handed_back = 0; ///< In this attempt.
        std::optional<Instant> claimed_since;

        // The last grant, and whether it still stands.
        job::Epoch epoch;
        job::WorkerRef worker;
        bool held = false; ///< It may still run there.
        bool grant_sent = false;
        bool bid_void = false; ///< Withdrawn before the grant went out.
        bool seen_running = false;
        bool take_back = false; ///< Out of time: renewed no more.
        job::Nonce nonce;
        Instant fence_until;
        Instant attempt_until;

        // The end.
        std::optional<CancelAskedRecord> cancel;
        std::optional<job::Instance> receipt_from;
        std::optional<job::LeaseRef> receipt_lease;
        std::optional<job::Outcome> outcome;

        Instant armed = Instant::never();

        job::LeaseRef lease() const { return {entry.ids.job, epoch}; }
        bool is_open() const { return state != JobState::ending && state != JobState::finished; }
    };

    struct StandingBid {
        job::Nonce nonce;
        Instant received;
    };

    struct Peer {
        job::WorkerRef worker;
        std::optional<job::WorkerLabels> labels; ///< Once it has said them.
        bool is_worker = false;
        bool shares_store = false; ///< With this coordinator.
        bool gone = false;
        std::uint64_t last_used = 0; ///< Key in `ready`: the least recently granted one is first.
        std::deque<StandingBid> bids;
        std::set<job::Nonce>
            spent; ///< Granted on or withdrawn lately: a doubled bid is no new one.
        std::deque<job::Nonce> spent_order;
        std::set<std::uint64_t> holds; ///< Numbers of the jobs whose last grant it holds.
    };

    /// Said only once the record it rests on is durable.
    struct Effect {
        enum class Kind : std::uint8_t { say_accepted, send_grant, say_finished, answer_receipt };
        JournalToken token = 0;
        Kind kind = Kind::say_accepted;
        Job* job = nullptr;
        job::Epoch epoch{};
        job::Instance to{};
    };

    using TimerKey = std::pair<Instant, std::uint64_t>;

    Impl(const Self& who, const CoordinatorOptions& with, IdleWorkers* others)
        : self(who)
        , options(with)
        , idle_workers(others) {}

    // coordinator_jobs.cc: jobs in, the queue, grants, timers, the end.
    Job* find(const Cid& id);
    Job* add(JobEntry entry, Instant now);
    void submit(JobEntry entry, std::optional<Bytes> receipt, Instant now);
    void recover(RecoveredJob recovered, Instant now);
    void disown(const Cid& id);
    void requeue(Job& job, Ms delay, Instant now);
    void enqueue(Job& job);
    void leave_queue(Job& job);
    void pass_over(Job& job, Instant now);
    void bring_back_for(const Peer& peer);
    void dispatch(Instant now);
    static bool has_refused(const Job& job, const job::Instance& worker);
    bool suits(const Job& job, const Peer& peer) const;
    bool probe(Job& job, Instant now);
    Peer* pick(Job& job, Instant now);
    bool is_large(const Job& job) const;
    std::uint64_t local_bytes(const Job& job, const Peer& peer) const;
    bool gathers(const Job& job) const;
    std::string nobody_text(Job& job, Instant now);
    void drop_aged(Peer& peer, Instant now);
    Ms fence_of(Ms lease) const;
    void note_passed_over(Job& job, const Peer& peer, Instant now);
    void grant(Job& job, Peer& peer, const job::Nonce& nonce, Instant now);
    void send_grant(Job& job, Instant now);
    void finish(Job& job, FinishedRecord record);
    void finish_with_error(Job& job, Errc error, std::string message);
    void say_finished(Job& job);
    static Ms doubled(Ms first, Ms longest, std::uint32_t times);
    void remember(Job& job);
    void arm(Job& job);
    Instant wake_at(const Job& job) const;
    void job_time(Job& job, Instant now);
    void queue_time(Job& job, Instant now);
    void schedule_announcement(Job& job, Instant at);
    void announce(Job& job, Instant now);
    void announce_due(Instant now);
    job::Announce announcement(const Job& job) const;
    void perform(const Effect& effect, Instant now);
    void flush(Instant now);
    void notify_progress(const Job& job, std::string detail);

    // coordinator_leases.cc: what workers say, and what becomes of leases.
    Peer* peer_of(const job::Instance& instance);
    void on_message(const job::Instance& from, job::Message& message, Instant now);
    void on_advert(const job::Instance& from, job::Advert& advert);
    void on_bid(const job::Instance& from, const job::Bid& bid, Instant now);
    void on_withdraw(const job::Instance& from, const job::Withdraw& withdraw);
    void on_decline(const job::Instance& from, const job::Decline& decline, Instant now);
    void on_renew(const job::Instance& from, const job::Renew& renew, Instant now);
    void on_hand_back(const job::Instance& from, const job::HandBack& back, Instant now);
    void take_end(const job::Instance& from, job::ReceiptMessage& message, Job& job);
    void on_stage(const job::Instance& from, const job::StageReport& report);
    void on_query(const job::Instance& from);
    void on_receipt(const job::Instance& from,
                    job::ReceiptMessage& message,
                    const ReceiptFacts& facts,
                    Instant now);
    bool holds(const Job& job, const job::Instance& from, const job::LeaseRef& lease) const;
    void let_go(Job& job);
    void release(Job& job, Instant now);
    void attempt_failed(Job& job, Errc error, std::string message, Instant now);
    void lease_over(Job& job, Instant now);
    static void spend(Peer& peer, const job::Nonce& nonce);
    void void_bids(Peer& peer);
    void unready(Peer& peer);
    void ready_up(Peer& peer);
    void peer_dead(const job::Instance& instance, Instant now);
    void peer_silent(const job::Instance& instance);
    bool cancel(const Cid& id, Errc reason);
    void answer(const job::Instance& to, const job::LeaseRef& lease, job::ReceiptFate fate);
    void note(Job& job, const job::WorkerRef& worker, WorkerNote note);

    Self self;
    CoordinatorOptions options;
    IdleWorkers* idle_workers; ///< May be null.
    std::uint64_t grants = 0;  ///< `n` of the last epoch.
    std::uint64_t numbers = 0;
    std::uint64_t turns = 0;
    JournalToken tokens = 0;

    std::unordered_map<Cid, std::unique_ptr<Job>> jobs;
    std::map<std::uint64_t, Job*> by_number; ///< Open ones.
    std::size_t invocation_bytes_open = 0;
    FairQueue queue;
    /// Queued ones that suited nobody who was free. Each comes back by itself, after its pause, or
    /// when somebody whom it suits bids.
    std::set<std::uint64_t> passed_over;
    std::map<TimerKey, Job*> timers;
    std::map<TimerKey, Job*> announcements;
    Instant announce_not_before;
    std::deque<Cid> finished; ///< Remembered ones, oldest first.

    std::map<job::Instance, Peer> peers;
    std::map<std::uint64_t, Peer*> ready; ///< Peers with bids, least recently granted first.
    std::size_t bid_count = 0;
    std::set<job::Instance> dead;
    std::deque<job::Instance> dead_order;

    std::vector<Record> records; ///< Of the event at hand.
    std::vector<Effect> effects; ///< Of the event at hand.
    std::deque<Effect> waiting;  ///< For their tokens.
    std::vector<CoordinatorAction> actions;
};

} // namespace ic::lease
