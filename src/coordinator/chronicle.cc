#include "coordinator/chronicle.h"

#include "base/time.h"
#include "job/ending_name.h"
#include "job/invocation.h"
#include "job/receipt.h"

#include <utility>
#include <variant>

namespace ic::coordinator {

using metrics::Metric;

std::string ending_of(const lease::FinishedRecord& record) {
    if (!record.receipt) {
        return std::string(name(record.error.value_or(Errc::internal)));
    }
    const Result<job::SignedReceipt> receipt = job::read_receipt(*record.receipt);
    return receipt ? std::string(job::name_of(receipt->receipt.ending))
                   : std::string(name(Errc::internal));
}

void Chronicle::tell(const std::vector<lease::Record>& records) {
    const bool tells = note_.wants(log::Level::debug);
    for (const lease::Record& record : records) {
        if (counts_ != nullptr) {
            std::visit([this](const auto& one) { count(one); }, record);
        }
        if (traces_ != nullptr) {
            std::visit([this](const auto& one) { trace(one); }, record);
        }
        if (tells) {
            std::visit([this](const auto& one) { tell_one(one); }, record);
        }
    }
}

void Chronicle::given_away(const Cid& job) {
    queued_.erase(job);
    traced_.erase(job);
}

void Chronicle::rejected(const Error& error) {
    metrics::count(counts_, Metric::requests_rejected, name(error.code));
}

void Chronicle::count(const lease::AcceptedRecord& record) {
    counts_->number(Metric::jobs_accepted).add();
    queued_.insert_or_assign(record.entry.ids.job, now_since_boot());
}

void Chronicle::count(const lease::GrantedRecord& record) {
    counts_->number(Metric::leases_granted).add();
    if (const auto at = queued_.find(record.lease.job); at != queued_.end()) {
        counts_->durations(Metric::stage, "queue").observe(now_since_boot() - at->second);
        queued_.erase(at);
    }
}

void Chronicle::count(const lease::ReleasedRecord& record) {
    counts_->number(Metric::leases_released, record.error ? name(*record.error) : "handed-back")
        .add();
    queued_.insert_or_assign(record.lease.job, now_since_boot());
}

void Chronicle::count(const lease::FinishedRecord& record) {
    counts_->number(Metric::jobs_ended, ending_of(record)).add();
    if (record.from_memo) {
        counts_->number(Metric::jobs_from_memo).add();
    }
    queued_.erase(record.job);
}

void Chronicle::begin_trace(const lease::JobEntry& entry, Instant accepted) {
    const Cid& job = entry.ids.job;
    Traced traced{.trace = traces::trace_of_job(job.digest()),
                  .accepted = accepted,
                  .queued = now_since_boot()};
    // Read a second time, but only where traces are wanted.
    const Result<job::SignedInvocation> invocation = job::read_invocation(entry.invocation.view());
    if (invocation && invocation->invocation.traceparent) {
        const auto context = traces::parse_traceparent(*invocation->invocation.traceparent);
        if (context && !context->is_sampled) {
            return;
        }
        if (context) {
            traced.trace = context->trace;
            traced.parent = context->span;
        }
    }
    traced_.insert_or_assign(job, traced);
}

void Chronicle::adopted(const lease::RecoveredJob& job) {
    if (traces_ != nullptr) {
        begin_trace(job.entry, job.accepted_at);
    }
}

void Chronicle::trace(const lease::AcceptedRecord& record) {
    begin_trace(record.entry, now_since_boot());
}

void Chronicle::trace(const lease::GrantedRecord& record) {
    const auto at = traced_.find(record.lease.job);
    if (at == traced_.end()) {
        return;
    }
    Traced& traced = at->second;
    const Instant now = now_since_boot();
    traced.granted = Granted{.lease = record.lease, .worker = record.worker, .at = now};
    traces_->add({.trace = traced.trace,
                  .id = traces_->new_span_id(),
                  .parent = traces::job_span(record.lease.job.digest()),
                  .name = "queue",
                  .start = traces::unix_of(traced.queued),
                  .end = traces::unix_of(now),
                  .attributes = {{"ipfs_compute.job", record.lease.job.to_string()}}});
}

void Chronicle::end_lease(const Cid& job, Traced& traced, std::optional<std::string> error) {
    if (!traced.granted) {
        return;
    }
    const Granted granted = *std::exchange(traced.granted, std::nullopt);
    const job::Epoch& epoch = granted.lease.epoch;
    traces_->add({.trace = traced.trace,
                  .id = traces::lease_span(job.digest(), epoch.incarnation, epoch.n),
                  .parent = traces::job_span(job.digest()),
                  .name = "lease",
                  .start = traces::unix_of(granted.at),
                  .end = traces::unix_of(now_since_boot()),
                  .attributes = {{"ipfs_compute.job", job.to_string()},
                                 {"ipfs_compute.epoch", epoch.to_string()},
                                 {"ipfs_compute.worker", granted.worker.instance.to_string()}},
                  .error = std::move(error)});
}

void Chronicle::trace(const lease::ReleasedRecord& record) {
    if (const auto at = traced_.find(record.lease.job); at != traced_.end()) {
        end_lease(record.lease.job,
                  at->second,
                  record.error ? std::optional(record.message) : std::nullopt);
        at->second.queued = now_since_boot();
    }
}

void Chronicle::trace(const lease::FinishedRecord& record) {
    const auto at = traced_.find(record.job);
    if (at == traced_.end()) {
        return;
    }
    const std::string ending = ending_of(record);
    const std::optional<std::string> error =
        ending == "success" ? std::nullopt : std::optional(ending);
    end_lease(record.job, at->second, error);
    traces_->add({.trace = at->second.trace,
                  .id = traces::job_span(record.job.digest()),
                  .parent = at->second.parent,
                  .name = "job",
                  .kind = traces::SpanKind::server,
                  .start = traces::unix_of(at->second.accepted),
                  .end = traces::unix_of(now_since_boot()),
                  .attributes = {{"ipfs_compute.job", record.job.to_string()},
                                 {"ipfs_compute.ending", ending},
                                 {"ipfs_compute.attempts_failed", std::uint64_t{record.attempts}},
                                 {"ipfs_compute.from_memo", record.from_memo ? "yes" : "no"}},
                  .error = error});
    traced_.erase(at);
}

void Chronicle::tell_one(const lease::AcceptedRecord& record) {
    note_(log::Level::debug,
          "job accepted",
          {{"job", record.entry.ids.job.to_string()}, {"key", record.entry.submitter.to_did()}});
}

void Chronicle::tell_one(const lease::GrantedRecord& record) {
    note_(log::Level::debug,
          "job granted",
          {{"job", record.lease.job.to_string()},
           {"epoch", record.lease.epoch.to_string()},
           {"worker", record.worker.instance.to_string()},
           {"attempt", std::uint64_t{record.attempt}}});
}

void Chronicle::tell_one(const lease::ReleasedRecord& record) {
    if (record.error) {
        note_(log::Level::debug,
              "attempt failed: " + record.message,
              {{"job", record.lease.job.to_string()},
               {"epoch", record.lease.epoch.to_string()},
               {"error", std::string(name(*record.error))}});
        return;
    }
    note_(log::Level::debug,
          "job given back",
          {{"job", record.lease.job.to_string()}, {"epoch", record.lease.epoch.to_string()}});
}

void Chronicle::tell_one(const lease::CancelAskedRecord& record) {
    note_(log::Level::debug,
          "job is to end",
          {{"job", record.job.to_string()}, {"error", std::string(name(record.reason))}});
}

void Chronicle::tell_one(const lease::FinishedRecord& record) {
    note_(log::Level::debug,
          "job ended",
          {{"job", record.job.to_string()},
           {"ending", ending_of(record)},
           {"attempts", std::uint64_t{record.attempts}}});
}

} // namespace ic::coordinator
