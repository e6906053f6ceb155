/// Coordinator: which worker a job goes to, and why not to others.

#include "lease/coordinator_impl.h"

#include <algorithm>

namespace ic::lease {

bool Coordinator::Impl::has_refused(const Job& job, const job::Instance& worker) {
    const auto& refused = job.refused_by;
    return std::find(refused.begin(), refused.end(), worker) != refused.end();
}

/// Whether the job may go to this worker: it has not said no, and its labels, if they are known,
/// are as the job asks. They only spare a grant that would come back: the worker judges itself.
bool Coordinator::Impl::suits(const Job& job, const Peer& peer) const {
    return !has_refused(job, peer.worker.instance) &&
           (!peer.labels || std::ranges::all_of(job.entry.constraints, [&](const auto& constraint) {
               return job::holds(constraint, *peer.labels);
           }));
}

bool Coordinator::Impl::is_large(const Job& job) const {
    return job.entry.here.bytes_needed >= options.gather_bytes_min;
}

/// Of what the job needs, as far as it is known. A small job is no reason to keep to one machine.
std::uint64_t Coordinator::Impl::local_bytes(const Job& job, const Peer& peer) const {
    const auto said = job.local.find(peer.worker.instance);
    const std::uint64_t bytes = said == job.local.end() ? 0 : said->second;
    return peer.shares_store && is_large(job) ? std::max(bytes, job.entry.here.bytes_local) : bytes;
}

/// Whether it is worth while to wait for bids of those who have what it needs.
bool Coordinator::Impl::gathers(const Job& job) const {
    const Locality& here = job.entry.here;
    if (!is_large(job)) {
        return false;
    }
    return std::none_of(ready.begin(), ready.end(), [&](const auto& entry) {
        const Peer& peer = *entry.second;
        const std::uint64_t local = local_bytes(job, peer);
        return suits(job, peer) &&
               (local >= here.bytes_needed || here.bytes_needed - local < options.gather_bytes_min);
    });
}

/// Asks a few that are known to be idle, once while the job is in the queue. False: nobody is, or
/// it is better that all say what they have.
bool Coordinator::Impl::probe(Job& job, Instant now) {
    if (idle_workers == nullptr || job.is_probed || is_large(job)) {
        return false;
    }
    job.is_probed = true;
    const auto suits = [this, &job](const job::Advert& advert) {
        const job::Instance& instance = advert.worker.instance;
        const auto met = peers.find(instance);
        // What is free of one that has a job of ours it has offered.
        const bool is_known_busy = met != peers.end() && !met->second.holds.empty();
        return instance != self.instance && !dead.contains(instance) && !is_known_busy &&
               !has_refused(job, instance) && job::fits(job.entry.constraints, advert.labels).ok();
    };
    const std::vector<job::Instance> probed =
        idle_workers->take(job.entry.ids.job, suits, options.probes, now);
    for (const job::Instance& worker : probed) {
        job::Announce announce = announcement(job);
        announce.probe = true;
        actions.push_back(Send{worker, std::move(announce)});
    }
    return !probed.empty();
}

/// Of those with bids the one that has most of it; of equals the one least recently granted to.
Coordinator::Impl::Peer* Coordinator::Impl::pick(Job& job, Instant now) {
    Peer* best = nullptr;
    const bool all_equal = job.local.empty() && !is_large(job);
    for (auto at = ready.begin(); at != ready.end();) {
        Peer& peer = *at->second;
        ++at; // `drop_aged` may take it out.
        drop_aged(peer, now);
        if (peer.bids.empty() || !suits(job, peer)) {
            continue;
        }
        if (all_equal) {
            return &peer;
        }
        if (best == nullptr || local_bytes(job, peer) > local_bytes(job, *best)) {
            best = &peer;
        }
    }
    return best;
}

/// Why a worker that is there does not get the job.
void Coordinator::Impl::note_passed_over(Job& job, const Peer& peer, Instant now) {
    const Result<void> fits =
        peer.labels ? job::fits(job.entry.constraints, *peer.labels) : Result<void>{};
    if (!fits) {
        note(job,
             peer.worker,
             {.verdict = Verdict::declined,
              .reason = fits.error().code,
              .message = fits.error().message,
              .at = now});
        return;
    }
    const auto verdict = peer.bids.empty() ? Verdict::no_bid : Verdict::not_chosen;
    note(job, peer.worker, {.verdict = verdict, .at = now});
}

/// Why there is no worker for the job, as far as it is known, and what helps.
std::string Coordinator::Impl::nobody_text(Job& job, Instant now) {
    std::string message = "no worker that may take the job was there for " +
                          std::to_string(job.entry.timeouts.queue_ms_max) + " ms";
    for (const auto& [instance, peer] : peers) {
        if (peer.is_worker && !peer.gone && job.notes.size() < options.notes_per_job_max) {
            note_passed_over(job, peer, now);
        }
    }
    bool is_declined = false;
    for (const WorkerNote& each : job.notes) {
        const bool refused =
            each.verdict == Verdict::handed_back && each.reason && !may_retry(*each.reason);
        if (each.verdict == Verdict::declined || refused) {
            message +=
                "; " + each.worker.instance.to_string().substr(0, 8) + " declined: " + each.message;
            is_declined = true;
        }
    }
    if (!is_declined && !job.entry.constraints.empty()) {
        message += "; the job asks for " + job::to_string(job.entry.constraints) + ": " +
                   job::remedy_for(job.entry.constraints.front()) +
                   ", or submit without --constraint";
    }
    return message;
}

} // namespace ic::lease
