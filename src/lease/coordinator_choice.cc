/// Coordinator: which worker a job goes to, and why not to others.

#include "lease/coordinator_impl.h"

#include <algorithm>

namespace ic::lease {

/// Whether the job may go to this worker: it has not said no, and its labels, if they are known,
/// are as the job asks. They only spare a grant that would come back: the worker judges itself.
Result<void> Coordinator::Impl::suits(const Job& job, const Peer& peer) const {
    const auto& refused = job.refused_by;
    if (std::find(refused.begin(), refused.end(), peer.worker.instance) != refused.end()) {
        return Error{Errc::refused, "it has refused the job"};
    }
    return peer.labels ? job::fits(job.entry.constraints, *peer.labels) : Result<void>{};
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
        return suits(job, peer).ok() &&
               (local >= here.bytes_needed || here.bytes_needed - local < options.gather_bytes_min);
    });
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
