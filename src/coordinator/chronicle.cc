#include "coordinator/chronicle.h"

#include "base/time.h"
#include "job/ending_name.h"
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
        if (tells) {
            std::visit([this](const auto& one) { tell_one(one); }, record);
        }
    }
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
