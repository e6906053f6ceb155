#include "lease/worker.h"

#include "lease/worker_impl.h"

#include <algorithm>
#include <cassert>
#include <type_traits>

namespace ic::lease {

using namespace std::chrono_literals;

namespace {

/// An announcement while a bid of this age lies with its coordinator says that the bid was lost.
constexpr std::chrono::milliseconds bid_doubted_after = 200ms;
/// Coordinators known to be gone, before those that nothing refers to are forgotten.
constexpr std::size_t gone_remembered_max = 1'024;

} // namespace

// --- bids ----------------------------------------------------------------------------------------

std::uint32_t Worker::Impl::slots_free() const {
    const auto busy = static_cast<std::uint32_t>(leases.size());
    return busy >= options.slots ? 0 : options.slots - busy;
}

bool Worker::Impl::may_bid() const {
    return started && !draining && receipts.size() < options.receipts_max;
}

void Worker::Impl::bid(const job::Instance& coordinator, Bidding& bidding, Instant now) {
    const job::Nonce nonce = planted(Fault::bid_nonce_reused) ? job::Nonce{} : nonces.next();
    bids.insert_or_assign(nonce, OpenBid{coordinator, now});
    bidding.nonces.push_back(nonce);
    job::Bid bid{.worker = self,
                 .job = {},
                 .nonce = nonce,
                 .bytes_local = 0,
                 .bytes_needed = 0,
                 .about = {}};
    if (bidding.about) {
        bid.about = bidding.about->first;
        bid.bytes_local = bidding.about->second.bytes_local;
        bid.bytes_needed = bidding.about->second.bytes_needed;
    }
    actions.push_back(Send{coordinator, std::move(bid)});
}

void Worker::Impl::withdraw_oldest(const job::Instance& coordinator, Bidding& bidding) {
    const job::Nonce nonce = bidding.nonces.front();
    bidding.nonces.pop_front();
    bids.erase(nonce);
    actions.push_back(Send{coordinator, job::Withdraw{self, nonce}});
}

void Worker::Impl::forget_bid(const job::Nonce& nonce) {
    const auto at = bids.find(nonce);
    const auto bidding = coordinators.find(at->second.coordinator);
    if (bidding != coordinators.end()) {
        std::erase(bidding->second.nonces, nonce);
    }
    bids.erase(at);
}

/// As many open bids with each active coordinator as there are free slots: the first grant wins.
/// The end of every event, so an advert says what came of it.
void Worker::Impl::place_bids(Instant now) {
    const std::uint32_t wanted = may_bid() ? slots_free() : 0;
    for (auto& [coordinator, bidding] : coordinators) {
        const bool active = coordinator == self.instance || bidding.active_until > now;
        while (bidding.nonces.size() > wanted) {
            withdraw_oldest(coordinator, bidding);
        }
        while (active && bidding.nonces.size() < wanted) {
            bid(coordinator, bidding, now);
        }
        bidding.about.reset();
    }
    advertise(now);
}

/// Takes back bids of this age; `place_bids` puts fresh ones in their place.
void Worker::Impl::refresh_bids(const job::Instance& coordinator,
                                Bidding& bidding,
                                Ms age,
                                Instant now) {
    while (!bidding.nonces.empty()) {
        const auto at = bids.find(bidding.nonces.front());
        if (at != bids.end() && now - at->second.sent < age) {
            return;
        }
        withdraw_oldest(coordinator, bidding);
    }
}

void Worker::Impl::void_bids(const job::Instance& coordinator) {
    const auto at = coordinators.find(coordinator);
    if (at == coordinators.end()) {
        return;
    }
    for (const job::Nonce& nonce : at->second.nonces) {
        bids.erase(nonce);
    }
    coordinators.erase(at);
}

/// Whether this worker's score for the job is below the threshold, which each repetition raises.
bool Worker::Impl::is_called(const Cid& job) {
    const std::uint64_t score = rendezvous_score(rendezvous_bits(job), rendezvous_bits(self.key));
    if (score <= rendezvous_threshold(options.rendezvous, 0)) {
        return true;
    }
    const auto [at, is_new] = announced.emplace(job, 0);
    if (is_new) {
        announced_order.push_back(job);
    }
    const bool called = score <= rendezvous_threshold(options.rendezvous, at->second++);
    if (announced_order.size() > options.announced_remembered_max) {
        announced.erase(announced_order.front());
        announced_order.pop_front();
    }
    return called;
}

void Worker::Impl::on_announce(
    const job::Instance& from, const Cid& job, const Locality& locality, Call call, Instant now) {
    if (call == Call::by_score && !is_called(job)) {
        return;
    }
    if (!coordinators.contains(from) && coordinators.size() >= options.coordinators_max) {
        return;
    }
    Bidding& bidding = coordinators[from];
    bidding.active_until = now + options.coordinator_active;
    Ms doubted_after = bid_doubted_after;
    if (locality.bytes_local >= options.locality_bytes_min) {
        bidding.about = {job, locality};
        if (bidding.told != job) { // Once: it is remembered there.
            bidding.told = job;
            doubted_after = Ms{0};
        }
    }
    refresh_bids(from, bidding, doubted_after, now);
}

// --- peers ---------------------------------------------------------------------------------------

bool Worker::Impl::refers_to(const job::Instance& coordinator) const {
    const auto is_it = [&coordinator](const auto& entry) {
        return entry.second.coordinator == coordinator;
    };
    return std::any_of(leases.begin(), leases.end(), is_it) ||
           std::any_of(receipts.begin(), receipts.end(), is_it);
}

void Worker::Impl::peer_gone(const job::Instance& peer, Instant now) {
    if (peer == self.instance) {
        return;
    }
    void_bids(peer);
    if (!refers_to(peer)) {
        return;
    }
    gone.insert(peer);
    if (gone.size() > gone_remembered_max) {
        std::erase_if(gone, [this](const job::Instance& each) { return !refers_to(each); });
    }
    renew_at = std::min(renew_at, now);
    for (auto& [ref, receipt] : receipts) {
        if (receipt.coordinator == peer) {
            resends.erase({receipt.next, ref});
            receipt.next = now;
            receipt.pause = options.receipt_first;
            resends.emplace(now, ref);
        }
    }
}

// --- time ----------------------------------------------------------------------------------------

void Worker::Impl::pass(Instant now) {
    end_leases(now);
    if (now >= renew_at) {
        renew(now);
    }
    resend_receipts(now);
    for (auto at = coordinators.begin(); at != coordinators.end();) {
        auto& [coordinator, bidding] = *at;
        refresh_bids(coordinator, bidding, options.bid_refresh, now);
        const bool active = coordinator == self.instance || bidding.active_until > now;
        at = active || !bidding.nonces.empty() ? std::next(at) : coordinators.erase(at);
    }
    while (!cancelled_order.empty() && cancelled_order.front().first <= now) {
        cancelled.erase(cancelled_order.front().second);
        cancelled_order.pop_front();
    }
}

Instant Worker::Impl::next_deadline() const {
    Instant next = leases.empty() ? Instant::never() : renew_at;
    for (const auto& [ref, lease] : leases) {
        if (!lease.stopping && !planted(Fault::lease_end_ignored)) {
            next = std::min(next, lease.until);
        }
    }
    if (!resends.empty()) {
        next = std::min(next, resends.begin()->first);
    }
    for (const auto& [coordinator, bidding] : coordinators) {
        if (!bidding.nonces.empty()) {
            const auto at = bids.find(bidding.nonces.front());
            if (at != bids.end()) {
                next = std::min(next, at->second.sent + options.bid_refresh);
            }
        }
    }
    return std::min(next, advert_at);
}

Call call_of(const job::Announce& announce) {
    return announce.probe.value_or(false) ? Call::by_name : Call::by_score;
}

// --- Worker --------------------------------------------------------------------------------------

Worker::Worker(const job::WorkerRef& self, const WorkerOptions& options, NonceSource& nonces)
    : impl_(std::make_unique<Impl>(self, options, nonces)) {
    assert(check(options).ok());
}

Worker::~Worker() = default;

void Worker::start(Instant now) {
    impl_->started = true;
    impl_->coordinators[impl_->self.instance].active_until = Instant::never();
    if (impl_->options.advert_every > 0ms) {
        impl_->advert_at = now;
    } else if (!impl_->options.labels.empty()) {
        // Others get theirs when they are met.
        impl_->actions.push_back(Send{impl_->self.instance, impl_->advert()});
    }
    impl_->place_bids(now);
}

void Worker::message(const job::Instance& from, job::Message message, Instant now) {
    impl_->pass(now);
    std::visit(
        [&](auto& value) {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, job::Announce>) {
                impl_->on_announce(from, value.job, {}, call_of(value), now);
            } else if constexpr (std::is_same_v<T, job::Grant>) {
                impl_->on_grant(from, value, now);
            } else if constexpr (std::is_same_v<T, job::RenewAnswer>) {
                impl_->on_renew_answer(from, value, now);
            } else if constexpr (std::is_same_v<T, job::ReceiptAnswer>) {
                impl_->on_receipt_answer(from, value);
            } else if constexpr (std::is_same_v<T, job::Cancel>) {
                impl_->on_cancel(from, value, now);
            }
        },
        message);
    impl_->place_bids(now);
}

void Worker::announced(
    const job::Instance& from, const Cid& job, const Locality& locality, Call call, Instant now) {
    impl_->pass(now);
    impl_->on_announce(from, job, locality, call, now);
    impl_->place_bids(now);
}

void Worker::decline(const job::Instance& coordinator,
                     const Cid& job,
                     Errc reason,
                     std::string message,
                     Instant now) {
    impl_->pass(now);
    impl_->actions.push_back(
        Send{coordinator, job::Decline{impl_->self, job, reason, std::move(message)}});
    impl_->place_bids(now);
}

void Worker::stage(const job::LeaseRef& lease, job::Stage stage, Instant now) {
    impl_->pass(now);
    const auto at = impl_->leases.find(lease);
    if (at != impl_->leases.end() && !impl_->is_gone(at->second.coordinator)) {
        impl_->actions.push_back(
            Send{at->second.coordinator,
                 job::StageReport{impl_->self, lease, static_cast<std::uint8_t>(stage)}});
    }
    impl_->place_bids(now);
}

void Worker::run_finished(const job::LeaseRef& lease, RunEnd end, Instant now) {
    impl_->pass(now);
    impl_->run_finished(lease, std::move(end), now);
    impl_->place_bids(now);
}

void Worker::peer_seen(const job::Instance& peer, Instant now) {
    impl_->pass(now);
    impl_->gone.erase(peer);
    if (peer != impl_->self.instance) {
        impl_->actions.push_back(Send{peer, impl_->advert()});
        impl_->actions.push_back(Send{peer, job::OpenJobsQuery{impl_->self.instance}});
    }
    impl_->place_bids(now);
}

void Worker::peer_silent(const job::Instance& peer, Instant now) {
    impl_->pass(now);
    impl_->peer_gone(peer, now);
    impl_->pass(now);
    impl_->place_bids(now);
}

void Worker::peer_dead(const job::Instance& peer, Instant now) { peer_silent(peer, now); }

void Worker::set_slots(std::uint32_t slots, Instant now) {
    impl_->pass(now);
    impl_->options.slots = slots;
    impl_->place_bids(now);
}

void Worker::set_network_size(std::uint64_t workers) {
    impl_->options.rendezvous.workers = workers;
}

void Worker::set_store_bytes(std::uint64_t bytes) { impl_->store_bytes = bytes; }

void Worker::drain(Instant now) {
    impl_->pass(now);
    impl_->draining = true;
    if (impl_->options.advert_every > 0ms) {
        impl_->advert_at = now; // Others need not wait for what is not to come.
    }
    if (planted(Fault::drain_hands_back)) {
        for (const auto& [ref, lease] : impl_->leases) {
            impl_->hand_back(lease.coordinator, ref, Errc::unavailable, "leaving");
        }
    }
    impl_->place_bids(now);
}

void Worker::time(Instant now) {
    impl_->pass(now);
    impl_->place_bids(now);
}

std::vector<WorkerAction> Worker::take_actions() { return std::exchange(impl_->actions, {}); }

Instant Worker::next_deadline() const { return impl_->next_deadline(); }

bool Worker::idle() const {
    return impl_->draining && impl_->leases.empty() && impl_->receipts.empty();
}

WorkerCounts Worker::counts() const {
    return {.slots = impl_->options.slots,
            .slots_free = impl_->slots_free(),
            .leases = impl_->leases.size(),
            .receipts_unanswered = impl_->receipts.size(),
            .bids = impl_->bids.size()};
}

} // namespace ic::lease
