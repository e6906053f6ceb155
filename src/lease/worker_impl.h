#pragma once
/// The inside of Worker, shared by its source files alone.

#include "lease/fault.h"
#include "lease/worker.h"

#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ic::lease {

struct Worker::Impl {
    using Ms = std::chrono::milliseconds;

    struct OpenBid {
        job::Instance coordinator;
        Instant sent;
    };

    struct Bidding {
        Instant active_until;
        std::deque<job::Nonce> nonces; ///< Of its open bids, oldest first.
        /// What fresh bids say, within the event at hand.
        std::optional<std::pair<Cid, Locality>> about;
        std::optional<Cid> told; ///< The last job of which they said it.
    };

    struct Lease {
        job::Instance coordinator;
        Instant until;
        std::optional<Errc> stopping; ///< Told to stop, for this reason; not at its end yet.
    };

    struct UnansweredReceipt {
        job::Instance coordinator;
        job::ReceiptMessage message;
        Instant made;
        Instant next;
        Ms pause{};
    };

    /// What of it others want to hear of soon.
    struct Load {
        std::uint32_t slots = 0;
        bool is_idle = true;
        bool is_full = false;

        friend bool operator==(const Load&, const Load&) = default;
    };

    Impl(const job::WorkerRef& who, const WorkerOptions& with, NonceSource& source)
        : self(who)
        , options(with)
        , nonces(source)
        , slots_usual(with.slots) {}

    // worker.cc: bids and what surrounds a run.
    std::uint32_t slots_free() const;
    bool may_bid() const;
    void bid(const job::Instance& coordinator, Bidding& bidding, Instant now);
    void withdraw_oldest(const job::Instance& coordinator, Bidding& bidding);
    void forget_bid(const job::Nonce& nonce);
    void place_bids(Instant now);
    void refresh_bids(const job::Instance& coordinator, Bidding& bidding, Ms age, Instant now);
    void void_bids(const job::Instance& coordinator);
    bool is_called(const Cid& job);
    void on_announce(const job::Instance& from,
                     const Cid& job,
                     const Locality& locality,
                     Call call,
                     Instant now);
    job::Advert advert() const;
    Ms advert_pause() const;
    void advertise(Instant now);
    void peer_gone(const job::Instance& peer, Instant now);
    bool refers_to(const job::Instance& coordinator) const;
    Instant next_deadline() const;

    // worker_leases.cc: grants, leases, receipts.
    void on_grant(const job::Instance& from, job::Grant& grant, Instant now);
    void start(job::Grant& grant, Instant until, Instant now);
    void on_renew_answer(const job::Instance& from, const job::RenewAnswer& answer, Instant now);
    void on_receipt_answer(const job::Instance& from, const job::ReceiptAnswer& answer);
    void on_cancel(const job::Instance& from, const job::Cancel& cancel, Instant now);
    void hand_back(const job::Instance& to,
                   const job::LeaseRef& lease,
                   Errc reason,
                   std::string message);
    void stop(const job::LeaseRef& ref, Lease& lease, Errc reason);
    void end_leases(Instant now);
    void renew(Instant now);
    void send_renew(const job::Instance* to, std::vector<job::LeaseRef> refs, Instant now);
    void run_finished(const job::LeaseRef& ref, RunEnd end, Instant now);
    void send_receipt(const job::LeaseRef& ref, UnansweredReceipt& receipt, Instant now);
    void drop_receipt(std::map<job::LeaseRef, UnansweredReceipt>::iterator at);
    void resend_receipts(Instant now);
    bool is_gone(const job::Instance& peer) const { return gone.contains(peer); }

    /// What time brings: before every event, so that none meets a lease that is over.
    void pass(Instant now);

    job::WorkerRef self;
    WorkerOptions options;
    NonceSource& nonces;
    bool started = false;
    bool draining = false;

    std::map<job::Nonce, OpenBid> bids;
    std::map<job::Instance, Bidding> coordinators;
    std::map<Cid, std::uint32_t> announced; ///< How often each was heard of (large networks).
    std::deque<Cid> announced_order;        ///< Oldest first.
    std::map<job::LeaseRef, Lease> leases;  ///< Each takes a slot until its run is at its end.
    std::map<job::LeaseRef, UnansweredReceipt> receipts;
    std::set<std::pair<Instant, job::LeaseRef>> resends;
    std::set<job::LeaseRef> cancelled;                             ///< Never to be started.
    std::deque<std::pair<Instant, job::LeaseRef>> cancelled_order; ///< When to forget each.
    std::set<job::Instance> gone; ///< Coordinators of leases and receipts.

    std::uint64_t renew_sequence = 0;
    std::deque<std::pair<std::uint64_t, Instant>> renewals; ///< Sequence and when it was sent.
    Instant last_renew;
    Instant renew_at = Instant::never();

    std::uint32_t slots_usual; ///< Beyond them jobs are only taken ahead.
    std::optional<std::uint64_t> store_bytes;
    std::uint64_t adverts = 0; ///< Said to all so far.
    Load advertised;
    Instant advertised_at;
    Instant advert_at = Instant::never();

    std::vector<WorkerAction> actions;
};

} // namespace ic::lease
