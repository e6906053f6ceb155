#include "coordinator/chronicle.h"

#include "job/ending_name.h"
#include "job/receipt.h"

#include <utility>
#include <variant>

namespace ic::coordinator {

std::string ending_of(const lease::FinishedRecord& record) {
    if (!record.receipt) {
        return std::string(name(record.error.value_or(Errc::internal)));
    }
    const Result<job::SignedReceipt> receipt = job::read_receipt(*record.receipt);
    return receipt ? std::string(job::name_of(receipt->receipt.ending))
                   : std::string(name(Errc::internal));
}

void Chronicle::tell(const std::vector<lease::Record>& records) {
    if (!note_.wants(log::Level::debug)) {
        return;
    }
    for (const lease::Record& record : records) {
        std::visit([this](const auto& one) { tell_one(one); }, record);
    }
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
