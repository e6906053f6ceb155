#pragma once
/// SimLedger: the disk of one simulated machine, as far as it matters what a crash leaves of it.

#include "lease/records.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace ic::sim {

/// A log of records. What is written survives the end of a process; only what is synced survives a
/// loss of power.
class SimLedger {
public:
    /// What the log says of one job.
    struct Job {
        bool accepted = false;
        std::size_t finished = 0; ///< How many ends are written.
        job::Instance owner;
        std::int64_t accepted_wall_us = 0; ///< By the machine's wall clock of then.
        lease::RecoveredJob recovered;
    };

    void write(const job::Instance& owner,
               std::int64_t wall_us,
               const std::vector<lease::Record>& records);

    /// Everything written so far is durable.
    void sync() { synced_ = log_.size(); }

    /// Everything that is not synced is gone.
    void lose_power() { log_.resize(synced_); }

    /// Makes `me` the owner of what is open; one synced transaction.
    void adopt(const std::set<Cid>& jobs, const job::Instance& me);

    std::uint64_t take_incarnation();

    /// What the log comes to, synced or not.
    std::map<Cid, Job> read() const { return fold(log_.size()); }

    bool has_accepted(const Cid& job) const;
    bool has_granted(const job::LeaseRef& lease) const;
    bool has_released(const job::LeaseRef& lease) const;
    bool has_finished(const Cid& job) const;

    /// The first grant in the log whose epoch is not above that of all earlier ones of its job.
    std::optional<job::LeaseRef> epoch_out_of_order() const;

private:
    struct Entry {
        job::Instance owner;
        std::int64_t wall_us = 0;
        lease::Record record;
        bool is_adoption = false;
        Cid adopted;
    };

    std::map<Cid, Job> fold(std::size_t count) const;

    std::vector<Entry> log_;
    std::size_t synced_ = 0;
    std::uint64_t incarnation_ = 0;
};

} // namespace ic::sim
