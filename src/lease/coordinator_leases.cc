/// Coordinator: what workers say, and what becomes of leases.

#include "lease/coordinator_impl.h"

#include <algorithm>
#include <type_traits>

namespace ic::lease {

using namespace std::chrono_literals;
using Ms = std::chrono::milliseconds;

namespace {

/// Proofs of death remembered, so that a late message of a dead process is not taken for life.
constexpr std::size_t dead_remembered_max = 4'096;
/// Nonces of a peer remembered as spent. More would only save the grants that it hands back.
constexpr std::size_t spent_remembered_max = 512;
/// Workers that a job remembers not to be granted to.
constexpr std::size_t refused_by_max = 64;

} // namespace

// --- peers ---------------------------------------------------------------------------------------

Coordinator::Impl::Peer* Coordinator::Impl::peer_of(const job::Instance& instance) {
    const auto at = peers.find(instance);
    if (at != peers.end()) {
        return &at->second;
    }
    if (dead.contains(instance) || peers.size() >= options.peers_max) {
        return nullptr;
    }
    Peer& peer = peers[instance];
    peer.worker.instance = instance;
    peer.shares_store = instance == self.instance;
    peer.last_used = ++turns;
    return &peer;
}

void Coordinator::Impl::unready(Peer& peer) { ready.erase(peer.last_used); }

void Coordinator::Impl::ready_up(Peer& peer) {
    if (!peer.bids.empty()) {
        ready.emplace(peer.last_used, &peer);
    }
}

void Coordinator::Impl::spend(Peer& peer, const job::Nonce& nonce) {
    if (peer.spent.insert(nonce).second) {
        peer.spent_order.push_back(nonce);
    }
    if (peer.spent_order.size() > spent_remembered_max) {
        peer.spent.erase(peer.spent_order.front());
        peer.spent_order.pop_front();
    }
}

void Coordinator::Impl::void_bids(Peer& peer) {
    bid_count -= peer.bids.size();
    peer.bids.clear();
    unready(peer);
    for (const std::uint64_t number : peer.holds) {
        by_number.at(number)->bid_void = true; // Matters to grants that are not sent yet.
    }
}

void Coordinator::Impl::peer_silent(const job::Instance& instance) {
    const auto at = peers.find(instance);
    if (at == peers.end()) {
        return;
    }
    void_bids(at->second);
    at->second.gone = true;
    if (at->second.holds.empty()) {
        peers.erase(at);
    }
}

void Coordinator::Impl::peer_dead(const job::Instance& instance, Instant now) {
    if (!planted(Fault::silent_as_dead) && dead.insert(instance).second) {
        dead_order.push_back(instance);
        if (dead_order.size() > dead_remembered_max) {
            dead.erase(dead_order.front());
            dead_order.pop_front();
        }
    }
    const auto at = peers.find(instance);
    if (at == peers.end()) {
        return;
    }
    void_bids(at->second);
    at->second.gone = false; // So that it stays until the loop is done.
    for (const std::uint64_t number : std::set<std::uint64_t>(at->second.holds)) {
        Job& job = *by_number.at(number);
        if (job.state == JobState::ending) {
            continue;
        }
        if (job.grant_sent) {
            note(job, job.worker, {.verdict = Verdict::lost, .message = "it is gone", .at = now});
            attempt_failed(job, Errc::worker_lost, "the worker is gone", now);
        } else {
            release(job, now);
        }
    }
    if (at->second.holds.empty()) {
        peers.erase(at);
    } else {
        at->second.gone = true;
    }
}

// --- leases --------------------------------------------------------------------------------------

bool Coordinator::Impl::holds(const Job& job,
                              const job::Instance& from,
                              const job::LeaseRef& lease) const {
    return job.held && job.grant_sent && job.epoch == lease.epoch && job.worker.instance == from;
}

/// The holder is known not to run it (any more).
void Coordinator::Impl::let_go(Job& job) {
    job.held = false;
    const auto at = peers.find(job.worker.instance);
    if (at != peers.end()) {
        at->second.holds.erase(job.number);
        if (at->second.gone && at->second.holds.empty()) {
            peers.erase(at); // It had no bids since it went.
        }
    }
}

/// Given back unstarted: no attempt was made.
void Coordinator::Impl::release(Job& job, Instant now) {
    let_go(job);
    if (job.state == JobState::cancelling) {
        finish_with_error(job, job.cancel->reason, "cancelled");
        return;
    }
    if (now - job.claimed_since.value_or(now) > Ms{job.entry.timeouts.claim_ms_max}) {
        attempt_failed(job, Errc::claim_timeout, "no worker began the job it was granted", now);
        return;
    }
    records.emplace_back(ReleasedRecord{
        .lease = job.lease(), .attempts = job.attempts_failed, .error = {}, .message = {}});
    const std::uint32_t before = job.handed_back++;
    requeue(job,
            before == 0 ? 0ms : doubled(options.retry_first, options.retry_longest, before - 1),
            now);
}

void Coordinator::Impl::attempt_failed(Job& job, Errc error, std::string message, Instant now) {
    if (job.held) {
        let_go(job);
    }
    if (job.state == JobState::cancelling) {
        finish_with_error(job, job.cancel->reason, "cancelled");
        return;
    }
    ++job.attempts_failed;
    job.last_error = Error{error, message};
    if (!job.first_error) {
        job.first_error = job.last_error;
    }
    records.emplace_back(ReleasedRecord{
        .lease = job.lease(), .attempts = job.attempts_failed, .error = error, .message = message});
    job.claimed_since.reset();
    job.handed_back = 0;
    notify_progress(job, "attempt failed: " + std::string(name(error)) + ": " + message);
    if (job.attempts_failed > job.entry.timeouts.attempts_max) {
        const std::string count = std::to_string(job.attempts_failed) + " attempts failed; ";
        if (job.first_error->code == error) { // Then its own name says more.
            finish_with_error(job, error, count + "the last: " + message);
            return;
        }
        finish_with_error(job,
                          Errc::attempts_exhausted,
                          count + "first: " + std::string(name(job.first_error->code)) + ": " +
                              job.first_error->message + "; last: " + std::string(name(error)) +
                              ": " + message);
        return;
    }
    // A worker that is gone says nothing against the job: on at once.
    const bool at_once = error == Errc::worker_lost || error == Errc::lease_lost;
    requeue(job,
            at_once ? 0ms
                    : doubled(options.retry_first, options.retry_longest, job.attempts_failed - 1),
            now);
}

/// The fence is over: whoever held it has stopped, by its own clock.
void Coordinator::Impl::lease_over(Job& job, Instant now) {
    note(
        job,
        job.worker,
        {.verdict = Verdict::lost, .message = "it was silent until its lease was over", .at = now});
    if (job.take_back) {
        attempt_failed(job, Errc::worker_lost, "the worker did not end the run in time", now);
    } else if (job.seen_running || job.state == JobState::cancelling) {
        attempt_failed(
            job, Errc::lease_lost, "the worker was silent until its lease was over", now);
    } else {
        release(job, now); // The grant was lost on its way, as far as anybody can tell.
    }
}

// --- messages ------------------------------------------------------------------------------------

void Coordinator::Impl::on_message(const job::Instance& from, job::Message& message, Instant now) {
    if (dead.contains(from)) {
        return;
    }
    std::visit(
        [&](auto& value) {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, job::Advert>) {
                on_advert(from, value);
            } else if constexpr (std::is_same_v<T, job::Bid>) {
                on_bid(from, value, now);
            } else if constexpr (std::is_same_v<T, job::Withdraw>) {
                on_withdraw(from, value);
            } else if constexpr (std::is_same_v<T, job::Decline>) {
                on_decline(from, value, now);
            } else if constexpr (std::is_same_v<T, job::Renew>) {
                on_renew(from, value, now);
            } else if constexpr (std::is_same_v<T, job::HandBack>) {
                on_hand_back(from, value, now);
            } else if constexpr (std::is_same_v<T, job::StageReport>) {
                on_stage(from, value);
            } else if constexpr (std::is_same_v<T, job::OpenJobsQuery>) {
                on_query(from);
            }
        },
        message);
}

/// From somebody who is met already: an advert that was heard from afar makes nobody a peer.
void Coordinator::Impl::on_advert(const job::Instance& from, job::Advert& advert) {
    if (advert.worker.instance != from) {
        return;
    }
    const auto at = peers.find(from);
    Peer* peer = at != peers.end() ? &at->second : from == self.instance ? peer_of(from) : nullptr;
    if (peer != nullptr) {
        peer->worker = advert.worker;
        peer->labels = std::move(advert.labels);
        // One that takes nothing for a while is still there: jobs wait for it.
        peer->is_worker = peer->is_worker || advert.slots > 0;
    }
}

void Coordinator::Impl::on_bid(const job::Instance& from, const job::Bid& bid, Instant now) {
    Peer* peer = bid.worker.instance == from ? peer_of(from) : nullptr;
    if (peer == nullptr || peer->spent.contains(bid.nonce)) {
        return;
    }
    peer->worker = bid.worker;
    peer->is_worker = true;
    peer->gone = false;
    if (bid.about) {
        Job* job = find(*bid.about);
        if (job != nullptr &&
            (job->local.contains(from) || job->local.size() < options.localities_per_job_max)) {
            job->local.insert_or_assign(from, bid.bytes_local);
        }
    }
    if (bid.job) {
        Job* job = find(*bid.job);
        if (job != nullptr && job->state == JobState::queued &&
            (job->in_queue || passed_over.contains(job->number)) && suits(*job, *peer)) {
            leave_queue(*job);
            grant(*job, *peer, bid.nonce, now);
        }
        return;
    }
    const auto is_same = [&bid](const StandingBid& other) { return other.nonce == bid.nonce; };
    if (std::any_of(peer->bids.begin(), peer->bids.end(), is_same)) {
        return;
    }
    if (peer->bids.size() >= options.bids_per_peer_max) {
        peer->bids.pop_front();
        --bid_count;
    }
    peer->bids.push_back({bid.nonce, now});
    ++bid_count;
    ready_up(*peer);
    bring_back_for(*peer);
}

void Coordinator::Impl::on_withdraw(const job::Instance& from, const job::Withdraw& withdraw) {
    const auto at = peers.find(from);
    if (at == peers.end()) {
        return;
    }
    Peer& peer = at->second;
    spend(peer, withdraw.nonce);
    for (auto bid = peer.bids.begin(); bid != peer.bids.end(); ++bid) {
        if (bid->nonce == withdraw.nonce) {
            peer.bids.erase(bid);
            --bid_count;
            if (peer.bids.empty()) {
                unready(peer);
            }
            return;
        }
    }
    for (const std::uint64_t number : peer.holds) {
        Job& job = *by_number.at(number);
        if (!job.grant_sent && job.nonce == withdraw.nonce) {
            job.bid_void = true;
        }
    }
}

void Coordinator::Impl::on_decline(const job::Instance& from,
                                   const job::Decline& decline,
                                   Instant now) {
    Job* job = find(decline.job);
    if (job == nullptr || !job->is_open() || decline.worker.instance != from) {
        return;
    }
    if (!may_retry(decline.reason) && job->refused_by.size() < refused_by_max &&
        std::find(job->refused_by.begin(), job->refused_by.end(), from) == job->refused_by.end()) {
        job->refused_by.push_back(from);
    }
    note(*job,
         decline.worker,
         {.verdict = Verdict::declined,
          .reason = decline.reason,
          .message = decline.message,
          .at = now});
}

void Coordinator::Impl::on_renew(const job::Instance& from, const job::Renew& renew, Instant now) {
    if (renew.worker.instance != from) {
        return;
    }
    job::RenewAnswer answer{.coordinator = self.instance,
                            .sequence = renew.sequence,
                            .duration = options.timing.duration,
                            .renewed = {},
                            .lost = {}};
    for (const job::LeaseRef& lease : renew.leases) {
        Job* job = find(lease.job);
        if (job == nullptr && planted(Fault::unknown_lease_renewed)) {
            answer.renewed.push_back(lease);
        }
        if (job == nullptr || job->state == JobState::ending) {
            continue; // Perhaps another coordinator's; of what is not known nothing is said.
        }
        const bool mine = holds(*job, from, lease);
        if (mine && job->state == JobState::cancelling) {
            actions.push_back(Send{from, job::Cancel{self.instance, lease, job->cancel->reason}});
        } else if (mine && job->take_back) {
            actions.push_back(Send{from, job::Cancel{self.instance, lease, Errc::worker_lost}});
        } else if (mine) {
            job->seen_running = true;
            if (!planted(Fault::renewal_not_fenced)) {
                job->fence_until = now + fence_of(options.timing.duration);
            }
            answer.renewed.push_back(lease);
        } else if (lease.epoch <= job->epoch) {
            answer.lost.push_back(lease);
        }
    }
    if (!answer.renewed.empty() || !answer.lost.empty()) {
        if (Peer* peer = peer_of(from)) {
            peer->gone = false;
        }
        actions.push_back(Send{from, std::move(answer)});
    }
}

void Coordinator::Impl::on_hand_back(const job::Instance& from,
                                     const job::HandBack& back,
                                     Instant now) {
    Job* job = find(back.lease.job);
    if (job == nullptr || !job->is_open() || back.worker.instance != from) {
        return;
    }
    const job::LeaseRef lease = planted(Fault::stale_hand_back_taken) ? job->lease() : back.lease;
    if (!holds(*job, from, lease)) {
        return;
    }
    note(*job,
         job->worker,
         {.verdict = Verdict::handed_back,
          .reason = back.reason,
          .message = back.message,
          .at = now});
    if (!may_retry(back.reason) && back.reason != Errc::cancelled &&
        job->refused_by.size() < refused_by_max) {
        job->refused_by.push_back(from);
    }
    if (job->take_back) {
        attempt_failed(*job, Errc::worker_lost, "the worker did not end the run in time", now);
    } else if (job->seen_running && may_retry(back.reason)) {
        attempt_failed(*job, back.reason, back.message, now);
    } else {
        release(*job, now);
    }
}

void Coordinator::Impl::on_stage(const job::Instance& from, const job::StageReport& report) {
    Job* job = find(report.lease.job);
    constexpr auto last = static_cast<std::uint8_t>(job::Stage::publishing);
    if (job == nullptr || !holds(*job, from, report.lease) || !job->is_open() ||
        report.stage <= job->stage || report.stage > last) {
        return;
    }
    job->stage = report.stage;
    job->seen_running = true;
    notify_progress(*job, {});
}

void Coordinator::Impl::on_query(const job::Instance& from) {
    std::size_t told = 0;
    for (const auto& [key, job] : announcements) {
        if (told++ == options.announced_to_asker_max) {
            return;
        }
        actions.push_back(Send{from, announcement(*job)});
    }
}

// --- receipts ------------------------------------------------------------------------------------

void Coordinator::Impl::answer(const job::Instance& to,
                               const job::LeaseRef& lease,
                               job::ReceiptFate fate) {
    actions.push_back(Send{to, job::ReceiptAnswer{self.instance, lease, fate}});
}

void Coordinator::Impl::on_receipt(const job::Instance& from,
                                   job::ReceiptMessage& message,
                                   const ReceiptFacts& facts,
                                   Instant now) {
    const job::LeaseRef lease = message.lease;
    Job* job = find(lease.job);
    if (job == nullptr) {
        actions.push_back(UnknownReceipt{from, lease});
        return;
    }
    if (!facts.valid) {
        answer(from, lease, job::ReceiptFate::refused);
        return;
    }
    const bool pure = job->entry.effects == job::Effects::pure;
    if (planted(Fault::double_finish) && !job->is_open() && job->receipt_lease &&
        job->receipt_lease->epoch != lease.epoch && job->state == JobState::finished) {
        actions.push_back(Notify{lease.job, *job->outcome});
    }
    if (job->state == JobState::finished) {
        const bool again = pure || (job->receipt_lease && job->receipt_lease->epoch == lease.epoch);
        answer(from, lease, again ? job::ReceiptFate::duplicate : job::ReceiptFate::stale);
        return;
    }
    if (job->state == JobState::ending) {
        return; // It is sent again until the end is durable.
    }
    const bool current =
        lease.epoch == job->epoch && message.worker.instance == job->worker.instance;
    if (job->state == JobState::cancelling) {
        answer(from, lease, job::ReceiptFate::stale);
        if (current && job->held) {
            release(*job, now); // Its run is over: that is all that was waited for.
        }
        return;
    }
    const bool passing = facts.error && may_retry(*facts.error);
    const bool takes_any = (pure || planted(Fault::stale_receipt_taken)) && !passing;
    if (!current && !takes_any) {
        answer(from, lease, job::ReceiptFate::stale);
    } else if (!passing) {
        take_end(from, message, *job);
        note(*job, message.worker, {.verdict = Verdict::finished, .at = now});
    } else if (job->held) {
        note(*job,
             job->worker,
             {.verdict = Verdict::failed,
              .reason = facts.error,
              .message = facts.message,
              .at = now});
        effects.push_back(
            {.kind = Effect::Kind::answer_receipt, .job = job, .epoch = lease.epoch, .to = from});
        attempt_failed(*job, *facts.error, facts.message, now);
    } else {
        answer(from, lease, job::ReceiptFate::duplicate);
    }
}

void Coordinator::Impl::take_end(const job::Instance& from,
                                 job::ReceiptMessage& message,
                                 Job& job) {
    if (job.held && message.lease.epoch == job.epoch) {
        let_go(job);
    }
    job.receipt_from = from;
    finish(job,
           FinishedRecord{.job = message.lease.job,
                          .lease = message.lease,
                          .receipt = std::move(message.receipt),
                          .error = {},
                          .message = {}});
}

// --- cancel --------------------------------------------------------------------------------------

bool Coordinator::Impl::cancel(const Cid& id, Errc reason) {
    Job* job = find(id);
    if (job == nullptr || !job->is_open()) {
        return false;
    }
    if (job->state == JobState::cancelling) {
        return true;
    }
    leave_queue(*job);
    const bool waits = job->held && !planted(Fault::cancel_without_wait);
    if (!waits) {
        finish_with_error(*job, reason, "cancelled");
        if (planted(Fault::cancel_not_journaled)) {
            records.pop_back();
            effects.pop_back();
            say_finished(*job);
        }
        return true;
    }
    job->cancel = CancelAskedRecord{id, reason};
    job->state = JobState::cancelling;
    records.emplace_back(*job->cancel);
    if (job->grant_sent) {
        actions.push_back(
            Send{job->worker.instance, job::Cancel{self.instance, job->lease(), reason}});
    }
    arm(*job);
    return true;
}

// --- why -----------------------------------------------------------------------------------------

/// The latest word about a worker stands, but that it merely was not asked does not replace what it
/// did before.
void Coordinator::Impl::note(Job& job, const job::WorkerRef& worker, WorkerNote entry) {
    entry.worker = worker;
    const bool idle = entry.verdict == Verdict::no_bid || entry.verdict == Verdict::not_chosen;
    for (WorkerNote& each : job.notes) {
        if (each.worker.instance == worker.instance) {
            if (!idle) {
                each = std::move(entry);
            }
            return;
        }
    }
    if (job.notes.size() < options.notes_per_job_max) {
        job.notes.push_back(std::move(entry));
    } else if (!idle) {
        job.notes.back() = std::move(entry);
    }
}

} // namespace ic::lease
