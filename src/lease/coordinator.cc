#include "lease/coordinator.h"

#include "lease/coordinator_impl.h"

#include <algorithm>
#include <cassert>

namespace ic::lease {

std::string_view name(Verdict verdict) {
    switch (verdict) {
    case Verdict::granted:
        return "granted";
    case Verdict::finished:
        return "finished";
    case Verdict::not_chosen:
        return "not-chosen";
    case Verdict::no_bid:
        return "no-bid";
    case Verdict::declined:
        return "declined";
    case Verdict::handed_back:
        return "handed-back";
    case Verdict::failed:
        return "failed";
    case Verdict::lost:
        return "lost";
    }
    return "unknown";
}

Coordinator::Coordinator(const Self& self, const CoordinatorOptions& options, IdleWorkers* idle)
    : impl_(std::make_unique<Impl>(self, options, idle)) {
    assert(check(options).ok());
}

Coordinator::~Coordinator() = default;

void Coordinator::submit(JobEntry entry, Instant now) {
    impl_->submit(std::move(entry), std::nullopt, now);
    impl_->flush(now);
}

void Coordinator::submit_answered(JobEntry entry, Bytes receipt, Instant now) {
    impl_->submit(std::move(entry), std::move(receipt), now);
    impl_->flush(now);
}

void Coordinator::message(const job::Instance& from, job::Message message, Instant now) {
    impl_->on_message(from, message, now);
    impl_->flush(now);
}

void Coordinator::receipt(const job::Instance& from,
                          job::ReceiptMessage message,
                          const ReceiptFacts& facts,
                          Instant now) {
    impl_->on_receipt(from, message, facts, now);
    impl_->flush(now);
}

void Coordinator::journaled(JournalToken token, Instant now) {
    assert(token <= impl_->tokens);
    while (!impl_->waiting.empty() && impl_->waiting.front().token <= token) {
        const Impl::Effect effect = impl_->waiting.front();
        impl_->waiting.pop_front();
        impl_->perform(effect, now);
    }
    impl_->flush(now);
}

void Coordinator::disown(const Cid& job, Instant now) {
    impl_->disown(job);
    impl_->flush(now);
}

void Coordinator::peer_seen(const job::Instance& peer, Instant now, StoreOf store) {
    if (Impl::Peer* known = impl_->peer_of(peer)) {
        known->shares_store = store == StoreOf::this_home;
        known->gone = false;
        impl_->on_query(peer);
    }
    impl_->flush(now);
}

void Coordinator::peer_silent(const job::Instance& peer, Instant now) {
    if (planted(Fault::silent_as_dead)) {
        impl_->peer_dead(peer, now);
    } else {
        impl_->peer_silent(peer);
    }
    impl_->flush(now);
}

void Coordinator::peer_dead(const job::Instance& peer, Instant now) {
    impl_->peer_dead(peer, now);
    impl_->flush(now);
}

void Coordinator::recovered(std::vector<RecoveredJob> jobs,
                            std::uint64_t incarnation,
                            Instant now) {
    impl_->self.incarnation = std::max(impl_->self.incarnation, incarnation);
    for (RecoveredJob& job : jobs) {
        impl_->recover(std::move(job), now);
    }
    impl_->flush(now);
}

bool Coordinator::cancel(const Cid& job, Errc reason, Instant now) {
    const bool is_open = impl_->cancel(job, reason);
    impl_->flush(now);
    return is_open;
}

void Coordinator::time(Instant now) {
    while (!impl_->timers.empty() && impl_->timers.begin()->first.first <= now) {
        Impl::Job& job = *impl_->timers.begin()->second;
        impl_->timers.erase(impl_->timers.begin());
        job.armed = Instant::never();
        impl_->job_time(job, now);
        impl_->arm(job);
    }
    impl_->flush(now);
}

std::vector<CoordinatorAction> Coordinator::take_actions() {
    return std::exchange(impl_->actions, {});
}

Instant Coordinator::next_deadline() const {
    Instant next = Instant::never();
    if (!impl_->timers.empty()) {
        next = impl_->timers.begin()->first.first;
    }
    if (!impl_->announcements.empty()) {
        next = std::min(
            next, std::max(impl_->announcements.begin()->first.first, impl_->announce_not_before));
    }
    return next;
}

std::optional<JobView> Coordinator::view(const Cid& id) const {
    const Impl::Job* job = impl_->find(id);
    if (job == nullptr) {
        return std::nullopt;
    }
    JobView view{.state = job->state,
                 .attempts_failed = job->attempts_failed,
                 .lease = {},
                 .worker = {},
                 .stage = job->stage,
                 .first_error = job->first_error,
                 .last_error = job->last_error,
                 .notes = job->notes};
    if (job->held) {
        view.lease = job->lease();
        view.worker = job->worker;
    }
    return view;
}

CoordinatorCounts Coordinator::counts() const {
    return {.open = impl_->by_number.size(),
            .queued = impl_->queue.size(),
            .bids = impl_->bid_count,
            .peers = impl_->peers.size()};
}

} // namespace ic::lease
