/// Coordinator: jobs in, the queue, grants, timers, the end.

#include "lease/coordinator_impl.h"

#include <algorithm>
#include <cassert>

namespace ic::lease {

using namespace std::chrono_literals;
using Ms = std::chrono::milliseconds;

namespace {

/// A timeout that a client chose, as a duration that cannot overflow a sum of a few.
Ms capped(std::uint64_t ms) {
    constexpr std::uint64_t year_ms = 365ULL * 24 * 3600 * 1000;
    return Ms{static_cast<std::int64_t>(std::min(ms, year_ms))};
}

} // namespace

Ms Coordinator::Impl::doubled(Ms first, Ms longest, std::uint32_t times) {
    Ms pause = first;
    for (std::uint32_t i = 0; i < times && pause < longest; ++i) {
        pause *= 2;
    }
    return std::min(pause, longest);
}

// --- jobs in -------------------------------------------------------------------------------------

Coordinator::Impl::Job* Coordinator::Impl::find(const Cid& id) {
    const auto at = jobs.find(id);
    return at == jobs.end() ? nullptr : at->second.get();
}

Coordinator::Impl::Job* Coordinator::Impl::add(JobEntry entry, Instant now) {
    auto owned = std::make_unique<Job>();
    Job* job = owned.get();
    job->number = ++numbers;
    job->accepted_at = now;
    job->queued_since = now;
    job->entry = std::move(entry);
    invocation_bytes_open += job->entry.invocation.size();
    by_number.emplace(job->number, job);
    jobs.emplace(job->entry.ids.job, std::move(owned));
    return job;
}

void Coordinator::Impl::submit(JobEntry entry, std::optional<Bytes> receipt, Instant now) {
    if (const Job* known = find(entry.ids.job)) {
        if (known->accepted_durable) {
            actions.push_back(Notify{entry.ids.job, job::Accepted{entry.ids.job, true}});
        }
        if (known->state == JobState::finished) {
            actions.push_back(Notify{entry.ids.job, *known->outcome});
        }
        return;
    }
    if (by_number.size() >= options.jobs_open_max ||
        invocation_bytes_open + entry.invocation.size() > options.invocation_bytes_open_max) {
        actions.push_back(Notify{entry.ids.job,
                                 job::Rejected{entry.ids.job,
                                               Errc::unavailable,
                                               "too many jobs are open here; try again later"}});
        return;
    }
    Job& job = *add(std::move(entry), now);
    records.emplace_back(AcceptedRecord{job.entry});
    effects.push_back({.kind = Effect::Kind::say_accepted, .job = &job});
    if (receipt) {
        finish(job,
               FinishedRecord{
                   .job = job.entry.ids.job, .receipt = std::move(receipt), .from_memo = true});
        return;
    }
    requeue(job, 0ms, now);
}

void Coordinator::Impl::recover(RecoveredJob recovered, Instant now) {
    if (find(recovered.entry.ids.job) != nullptr) {
        return;
    }
    Job& job = *add(std::move(recovered.entry), now);
    job.accepted_durable = true;
    job.accepted_at = std::min(recovered.accepted_at, now);
    job.attempts_failed = recovered.attempts;
    job.first_error = std::move(recovered.first_error);
    job.last_error = std::move(recovered.last_error);
    job.cancel = recovered.cancel_asked;
    if (planted(Fault::forget_on_adopt)) {
        recovered.granted.reset();
    }
    if (recovered.granted) {
        job.epoch = recovered.granted->lease.epoch;
        job.worker = recovered.granted->worker;
        job.grant_sent = true;
        job.held = true;
        job.state = job.cancel ? JobState::cancelling : JobState::granted;
        const bool is_dead =
            recovered.holder == HolderFate::dead || dead.contains(job.worker.instance);
        const bool was_known = peers.contains(job.worker.instance);
        if (Peer* peer = is_dead ? nullptr : peer_of(job.worker.instance)) {
            peer->holds.insert(job.number);
            peer->gone = peer->gone || !was_known; // Until it is heard of.
        }
        const Ms lease = std::max(recovered.granted->duration, options.timing.duration);
        job.fence_until = planted(Fault::restart_without_fence) ? now : now + fence_of(lease);
        job.attempt_until = now + capped(job.entry.timeouts.fetch_ms_max) + job.entry.run_max +
                            capped(job.entry.timeouts.publish_ms_max) + options.attempt_slack;
        if (is_dead) {
            attempt_failed(job, Errc::worker_lost, "the worker is gone", now);
        } else {
            arm(job);
        }
        return;
    }
    if (job.cancel) {
        finish_with_error(job, job.cancel->reason, "cancelled");
        return;
    }
    requeue(job, 0ms, now);
}

// --- the queue -----------------------------------------------------------------------------------

void Coordinator::Impl::disown(const Cid& id) {
    Job* const job = find(id);
    if (job == nullptr || job->accepted_durable) {
        return;
    }
    assert(!job->grant_sent); // Grants follow acceptance.
    std::erase_if(waiting, [job](const Effect& effect) { return effect.job == job; });
    leave_queue(*job);
    if (job->held) {
        let_go(*job);
    }
    if (job->armed != Instant::never()) {
        timers.erase({job->armed, job->number});
    }
    by_number.erase(job->number);
    invocation_bytes_open -= job->entry.invocation.size();
    jobs.erase(id);
}

void Coordinator::Impl::requeue(Job& job, Ms delay, Instant now) {
    job.state = JobState::queued;
    job.stage = static_cast<std::uint8_t>(job::Stage::queued);
    job.queued_since = now;
    job.announce_pause = options.announce_first;
    job.is_probed = false;
    job.announce_from = now + delay;
    schedule_announcement(job, job.announce_from);
    delay += gathers(job) ? options.gather_time : 0ms;
    job.retry_at = now + delay;
    job.pass_pause = 0ms;
    if (delay == 0ms) {
        enqueue(job);
    }
    arm(job);
}

void Coordinator::Impl::enqueue(Job& job) {
    passed_over.erase(job.number);
    queue.push(job.number, job.entry.submitter, job.entry.priority);
    job.in_queue = true;
}

/// Nothing is said of a job before it is durable.
void Coordinator::Impl::schedule_announcement(Job& job, Instant at) {
    if (job.accepted_durable) {
        job.announce_at = at;
        announcements.emplace(TimerKey{at, job.number}, &job);
    }
}

void Coordinator::Impl::leave_queue(Job& job) {
    if (job.in_queue) {
        queue.erase(job.number);
        job.in_queue = false;
    }
    passed_over.erase(job.number);
    if (job.announce_at != Instant::never()) {
        announcements.erase(TimerKey{job.announce_at, job.number});
        job.announce_at = Instant::never();
    }
}

/// Grants as long as there are both jobs and bids.
void Coordinator::Impl::dispatch(Instant now) {
    while (!ready.empty()) {
        const std::optional<std::uint64_t> next = queue.front();
        if (!next) {
            return;
        }
        Job& job = *by_number.at(*next);
        Peer* peer = pick(job, now);
        if (peer == nullptr) {
            if (ready.empty()) {
                return;
            }
            pass_over(job, now);
            continue;
        }
        queue.pop();
        job.in_queue = false;
        const job::Nonce nonce =
            peer->bids.back().nonce; // The freshest: most of its lease is left.
        peer->bids.pop_back();
        --bid_count;
        grant(job, *peer, nonce, now);
    }
}

/// It suits nobody who is free, and makes room for the next.
void Coordinator::Impl::pass_over(Job& job, Instant now) {
    queue.pop();
    job.in_queue = false;
    passed_over.insert(job.number);
    job.pass_pause = std::clamp(2 * job.pass_pause, options.pass_first, options.pass_longest);
    job.retry_at = now + job.pass_pause;
    arm(job);
}

/// One bid, one job: without this a worker that others' jobs do not suit would wait out the pauses
/// of its own, grant by grant.
void Coordinator::Impl::bring_back_for(const Peer& peer) {
    std::size_t looks = 0;
    for (const std::uint64_t number : passed_over) {
        Job& job = *by_number.at(number);
        if (suits(job, peer)) {
            enqueue(job);
            return;
        }
        if (++looks == options.pass_looks_max) {
            return;
        }
    }
}

void Coordinator::Impl::drop_aged(Peer& peer, Instant now) {
    while (!peer.bids.empty() && now - peer.bids.front().received > options.bid_age_max) {
        peer.bids.pop_front();
        --bid_count;
    }
    if (peer.bids.empty()) {
        unready(peer);
    }
}

/// How long to wait for a holder that gives no sign.
Coordinator::Impl::Ms Coordinator::Impl::fence_of(Ms lease) const {
    if (planted(Fault::no_fence)) {
        return 100ms;
    }
    return planted(Fault::early_regrant) ? lease : options.timing.fence_of(lease);
}

// --- grants --------------------------------------------------------------------------------------

void Coordinator::Impl::grant(Job& job, Peer& peer, const job::Nonce& nonce, Instant now) {
    leave_queue(job);
    unready(peer);
    spend(peer, nonce);
    peer.last_used = ++turns;
    ready_up(peer);
    for (const auto& [instance, other] : peers) {
        if (job.notes.size() >= options.notes_per_job_max) {
            break;
        }
        if (other.is_worker && !other.gone && &other != &peer) {
            note_passed_over(job, other, now);
        }
    }
    note(job, peer.worker, {.verdict = Verdict::granted, .at = now});
    job.state = JobState::granted;
    job.epoch = {self.incarnation, ++grants};
    job.worker = peer.worker;
    job.nonce = nonce;
    job.held = true;
    job.grant_sent = job.bid_void = job.seen_running = job.take_back = false;
    job.claimed_since = job.claimed_since.value_or(now);
    peer.holds.insert(job.number);
    records.emplace_back(GrantedRecord{.lease = job.lease(),
                                       .worker = job.worker,
                                       .duration = options.timing.duration,
                                       .attempt = job.attempts_failed + 1});
    effects.push_back({.kind = Effect::Kind::send_grant, .job = &job, .epoch = job.epoch});
    if (planted(Fault::grant_before_journal)) {
        send_grant(job, now);
    }
}

void Coordinator::Impl::send_grant(Job& job, Instant now) {
    job.grant_sent = true;
    job.stage = static_cast<std::uint8_t>(job::Stage::granted);
    job.fence_until = now + fence_of(options.timing.duration);
    job.attempt_until = now + capped(job.entry.timeouts.fetch_ms_max) + job.entry.run_max +
                        capped(job.entry.timeouts.publish_ms_max) + options.attempt_slack;
    actions.push_back(Send{job.worker.instance,
                           job::Grant{.coordinator = self.instance,
                                      .lease = job.lease(),
                                      .worker = job.worker,
                                      .nonce = job.nonce,
                                      .duration = options.timing.duration,
                                      .invocation = copy_of(job.entry.invocation.view())}});
    notify_progress(job, {});
    arm(job);
}

// --- the end -------------------------------------------------------------------------------------

void Coordinator::Impl::finish(Job& job, FinishedRecord record) {
    leave_queue(job);
    job.state = JobState::ending;
    record.attempts = job.attempts_failed + (record.receipt && !record.from_memo ? 1U : 0U);
    job.outcome = job::Outcome{.job = record.job,
                               .receipt = record.receipt,
                               .error = record.error,
                               .message = record.message,
                               .from_memo = record.from_memo,
                               .attempts = record.attempts};
    job.receipt_lease = record.lease;
    records.emplace_back(std::move(record));
    effects.push_back({.kind = Effect::Kind::say_finished, .job = &job});
    arm(job);
}

void Coordinator::Impl::finish_with_error(Job& job, Errc error, std::string message) {
    finish(job,
           FinishedRecord{.job = job.entry.ids.job, .error = error, .message = std::move(message)});
}

void Coordinator::Impl::say_finished(Job& job) {
    if (job.receipt_from) {
        answer(*job.receipt_from, *job.receipt_lease, job::ReceiptFate::accepted);
    }
    if (job.held) {
        if (job.grant_sent && (!job.receipt_lease || job.receipt_lease->epoch != job.epoch)) {
            actions.push_back(Send{job.worker.instance,
                                   job::Cancel{self.instance, job.lease(), Errc::cancelled}});
        }
        let_go(job);
    }
    job.state = JobState::finished;
    job.stage = static_cast<std::uint8_t>(job::Stage::finished);
    actions.push_back(Notify{job.entry.ids.job, *job.outcome});
    remember(job);
}

void Coordinator::Impl::remember(Job& job) {
    arm(job);
    by_number.erase(job.number);
    invocation_bytes_open -= job.entry.invocation.size();
    job.entry.invocation = {};
    finished.push_back(job.entry.ids.job);
    while (finished.size() > options.finished_remembered_max) {
        jobs.erase(finished.front());
        finished.pop_front();
    }
}

// --- time ----------------------------------------------------------------------------------------

Instant Coordinator::Impl::wake_at(const Job& job) const {
    if (!job.is_open()) {
        return Instant::never();
    }
    Instant wake = Instant::never();
    if (job.held && job.grant_sent) {
        wake = job.fence_until;
        if (!job.take_back) {
            wake = std::min(wake, job.attempt_until);
        }
    }
    if (job.state == JobState::cancelling) {
        return wake;
    }
    wake = std::min(wake, job.accepted_at + capped(job.entry.timeouts.total_ms_max));
    if (job.state == JobState::queued) {
        wake = std::min(wake, job.queued_since + capped(job.entry.timeouts.queue_ms_max));
        if (!job.in_queue) {
            wake = std::min(wake, job.retry_at);
        }
    }
    return wake;
}

/// One timer a job. A timer that turns out to be early is set again when it fires, so that a
/// renewal costs nothing here.
void Coordinator::Impl::arm(Job& job) {
    const Instant wake = wake_at(job);
    if (wake >= job.armed && wake != Instant::never()) {
        return;
    }
    if (job.armed != Instant::never()) {
        timers.erase(TimerKey{job.armed, job.number});
    }
    job.armed = wake;
    if (wake != Instant::never()) {
        timers.emplace(TimerKey{wake, job.number}, &job);
    }
}

void Coordinator::Impl::job_time(Job& job, Instant now) {
    if (!job.is_open()) {
        return;
    }
    if (job.state != JobState::cancelling &&
        now >= job.accepted_at + capped(job.entry.timeouts.total_ms_max)) {
        finish_with_error(job,
                          Errc::total_timeout,
                          "the job took longer than its total timeout of " +
                              std::to_string(job.entry.timeouts.total_ms_max) + " ms");
        return;
    }
    if (job.held && job.grant_sent) {
        if (now >= job.fence_until) {
            lease_over(job, now);
        } else if (now >= job.attempt_until && !job.take_back) {
            job.take_back = true;
            actions.push_back(Send{job.worker.instance,
                                   job::Cancel{self.instance, job.lease(), Errc::worker_lost}});
        }
    } else if (job.state == JobState::queued) {
        queue_time(job, now);
    }
}

void Coordinator::Impl::queue_time(Job& job, Instant now) {
    if (!job.in_queue && now >= job.retry_at) {
        enqueue(job);
    }
    if (now < job.queued_since + capped(job.entry.timeouts.queue_ms_max)) {
        return;
    }
    const auto may_take = [this, &job](const auto& entry) {
        const Peer& peer = entry.second;
        return peer.is_worker && !peer.gone && suits(job, peer);
    };
    if (std::any_of(peers.begin(), peers.end(), may_take)) {
        // There is one, it is busy: the total timeout alone counts. Looked at again, not at once.
        job.queued_since = now + options.announce_longest;
        return;
    }
    finish_with_error(job, Errc::queue_timeout, nobody_text(job, now));
}

job::Announce Coordinator::Impl::announcement(const Job& job) const {
    job::Announce announce{.coordinator = self.instance,
                           .coordinator_key = self.key,
                           .job = job.entry.ids.job,
                           .invocation = {},
                           .constraints = {}};
    if (job.entry.invocation.size() <= options.announced_document_max) {
        announce.invocation = copy_of(job.entry.invocation.view());
    } else {
        announce.constraints = job.entry.constraints;
    }
    return announce;
}

void Coordinator::Impl::announce(Job& job, Instant now) {
    announcements.erase(TimerKey{job.announce_at, job.number});
    job.announce_at = Instant::never();
    if (probe(job, now)) {
        if (!planted(Fault::probed_only)) {
            schedule_announcement(job, now + options.probe_time);
        }
        return;
    }
    job.announce_at = now + job.announce_pause;
    job.announce_pause = doubled(job.announce_pause, options.announce_longest, 1);
    announce_not_before = now + options.announce_pace;
    if (planted(Fault::no_reannounce)) {
        job.announce_at = Instant::never();
    } else {
        announcements.emplace(TimerKey{job.announce_at, job.number}, &job);
    }
    actions.push_back(Announcement{announcement(job)});
}

void Coordinator::Impl::announce_due(Instant now) {
    if (!announcements.empty() && now >= announce_not_before &&
        announcements.begin()->first.first <= now) {
        announce(*announcements.begin()->second, now);
    }
}

// --- actions -------------------------------------------------------------------------------------

void Coordinator::Impl::notify_progress(const Job& job, std::string detail) {
    job::Progress progress{.job = job.entry.ids.job,
                           .stage = job.stage,
                           .attempt = job.attempts_failed + 1,
                           .worker = {},
                           .detail = std::move(detail)};
    if (job.held) {
        progress.worker = job.worker;
    }
    actions.push_back(Notify{job.entry.ids.job, std::move(progress)});
}

void Coordinator::Impl::perform(const Effect& effect, Instant now) {
    Job& job = *effect.job;
    switch (effect.kind) {
    case Effect::Kind::say_accepted:
        job.accepted_durable = true;
        if (job.state == JobState::queued && job.announce_at == Instant::never()) {
            schedule_announcement(job, std::max(job.announce_from, now));
        }
        if (!planted(Fault::journal_after_accept)) {
            actions.push_back(Notify{job.entry.ids.job, job::Accepted{job.entry.ids.job, false}});
        }
        return;
    case Effect::Kind::send_grant:
        if (job.held && job.epoch == effect.epoch && !job.grant_sent) {
            if (job.state == JobState::granted && !job.bid_void) {
                send_grant(job, now);
            } else if (job.is_open()) {
                release(job, now);
            }
        }
        return;
    case Effect::Kind::say_finished:
        if (job.state == JobState::ending) {
            say_finished(job);
        }
        return;
    case Effect::Kind::answer_receipt:
        answer(effect.to, {job.entry.ids.job, effect.epoch}, job::ReceiptFate::accepted);
        return;
    }
}

/// Ends an event: one Journal for all it wants written, and its effects behind that.
void Coordinator::Impl::flush(Instant now) {
    dispatch(now);
    announce_due(now);
    if (records.empty()) {
        assert(effects.empty());
        return;
    }
    ++tokens;
    for (Effect& effect : effects) {
        effect.token = tokens;
        if (planted(Fault::journal_after_accept) && effect.kind == Effect::Kind::say_accepted) {
            const Cid& id = effect.job->entry.ids.job;
            actions.push_back(Notify{id, job::Accepted{id, false}});
        }
        if (planted(Fault::finish_before_journal) && effect.kind == Effect::Kind::say_finished &&
            effect.job->receipt_from) {
            answer(
                *effect.job->receipt_from, *effect.job->receipt_lease, job::ReceiptFate::accepted);
            actions.push_back(Notify{effect.job->entry.ids.job, *effect.job->outcome});
        }
        waiting.push_back(effect);
    }
    effects.clear();
    actions.push_back(Journal{tokens, std::move(records)});
    records.clear();
}

} // namespace ic::lease
