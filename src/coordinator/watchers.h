#pragma once
/// Watchers: the clients that wait to hear of jobs. For this folder's sources.

#include "job/ids.h"
#include "job/message.h"
#include "transport/outlet.h"

#include <cstdint>
#include <map>
#include <vector>

namespace ic::coordinator {

namespace limits {
/// Ours: who watches one job. Beyond it a watcher hears nothing of its own accord.
inline constexpr std::size_t watchers_per_job_max = 1'024;
} // namespace limits

/// What a client wants to hear of a job: that it is accepted, or all until its end.
enum class Interest : std::uint8_t { acceptance, everything };

/// Threads: one. Lifetime: the outlet outlives it.
class Watchers {
public:
    explicit Watchers(transport::Outlet& outlet) : outlet_(outlet) {}

    /// The later interest of a client counts.
    void add(const Cid& job, const job::Instance& client, Interest interest);

    void forget(const Cid& job, const job::Instance& client);

    /// Of all jobs: it is gone.
    void forget_client(const job::Instance& client);

    /// Nothing more will be said of this job.
    void forget_job(const Cid& job) { jobs_.erase(job); }

    bool any_of(const Cid& job) const { return jobs_.contains(job); }

    std::vector<job::Instance> of(const Cid& job) const;

    /// Tells all, or those alone that want to hear everything.
    void tell(const Cid& job, const job::Message& message, Interest least) const;

    /// Who wanted to hear no more is done with the job.
    void tell_accepted(const job::Accepted& accepted);

private:
    transport::Outlet& outlet_;
    std::map<Cid, std::map<job::Instance, Interest>> jobs_; ///< None without a client.
};

} // namespace ic::coordinator
