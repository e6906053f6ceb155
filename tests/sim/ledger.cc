#include "sim/ledger.h"

#include "lease/fault.h"

#include <algorithm>
#include <variant>

namespace ic::sim {

using namespace lease;

namespace {

const Cid& job_of(const Record& record) {
    return std::visit(
        [](const auto& value) -> const Cid& {
            if constexpr (requires { value.entry; }) {
                return value.entry.ids.job;
            } else if constexpr (requires { value.job; }) {
                return value.job;
            } else {
                return value.lease.job;
            }
        },
        record);
}

} // namespace

void SimLedger::write(const job::Instance& owner,
                      std::int64_t wall_us,
                      const std::vector<Record>& records) {
    for (const Record& record : records) {
        log_.push_back({owner, wall_us, record, false, {}});
    }
}

void SimLedger::adopt(const std::set<Cid>& jobs, const job::Instance& me) {
    for (const Cid& job : jobs) {
        log_.push_back({me, 0, CancelAskedRecord{}, true, job});
    }
    sync();
}

std::uint64_t SimLedger::take_incarnation() {
    sync(); // A commit of its own, and with it all that came before.
    return planted(Fault::epoch_reused_after_restart) ? 1 : ++incarnation_;
}

std::map<Cid, SimLedger::Job> SimLedger::fold(std::size_t count) const {
    std::map<Cid, Job> jobs;
    for (std::size_t i = 0; i < count; ++i) {
        const Entry& entry = log_[i];
        if (entry.is_adoption) {
            jobs[entry.adopted].owner = entry.owner;
            continue;
        }
        Job& job = jobs[job_of(entry.record)];
        RecoveredJob& known = job.recovered;
        if (const auto* accepted = std::get_if<AcceptedRecord>(&entry.record)) {
            if (!job.accepted) {
                job.accepted = true;
                job.owner = entry.owner;
                job.accepted_wall_us = entry.wall_us;
                known.entry = accepted->entry;
            }
        } else if (const auto* granted = std::get_if<GrantedRecord>(&entry.record)) {
            known.granted = *granted;
        } else if (const auto* released = std::get_if<ReleasedRecord>(&entry.record)) {
            known.granted.reset();
            known.attempts = released->attempts;
        } else if (const auto* asked = std::get_if<CancelAskedRecord>(&entry.record)) {
            known.cancel_asked = *asked;
        } else {
            ++job.finished;
        }
    }
    return jobs;
}

bool SimLedger::has_accepted(const Cid& job) const {
    return std::any_of(log_.begin(),
                       log_.begin() + static_cast<std::ptrdiff_t>(synced_),
                       [&job](const Entry& entry) {
                           const auto* it = std::get_if<AcceptedRecord>(&entry.record);
                           return it != nullptr && it->entry.ids.job == job;
                       });
}

bool SimLedger::has_granted(const job::LeaseRef& lease) const {
    return std::any_of(log_.begin(),
                       log_.begin() + static_cast<std::ptrdiff_t>(synced_),
                       [&lease](const Entry& entry) {
                           const auto* it = std::get_if<GrantedRecord>(&entry.record);
                           return it != nullptr && it->lease == lease;
                       });
}

bool SimLedger::has_released(const job::LeaseRef& lease) const {
    return std::any_of(log_.begin(),
                       log_.begin() + static_cast<std::ptrdiff_t>(synced_),
                       [&lease](const Entry& entry) {
                           const auto* it = std::get_if<ReleasedRecord>(&entry.record);
                           return it != nullptr && it->lease == lease;
                       });
}

bool SimLedger::has_finished(const Cid& job) const {
    return std::any_of(log_.begin(),
                       log_.begin() + static_cast<std::ptrdiff_t>(synced_),
                       [&job](const Entry& entry) {
                           const auto* it = std::get_if<FinishedRecord>(&entry.record);
                           return it != nullptr && it->job == job;
                       });
}

std::optional<job::LeaseRef> SimLedger::epoch_out_of_order() const {
    std::map<Cid, job::Epoch> last;
    for (const Entry& entry : log_) {
        const auto* granted =
            entry.is_adoption ? nullptr : std::get_if<GrantedRecord>(&entry.record);
        if (granted == nullptr) {
            continue;
        }
        const auto [at, is_new] = last.emplace(granted->lease.job, granted->lease.epoch);
        if (!is_new && granted->lease.epoch <= at->second) {
            return granted->lease;
        }
        at->second = granted->lease.epoch;
    }
    return std::nullopt;
}

} // namespace ic::sim
