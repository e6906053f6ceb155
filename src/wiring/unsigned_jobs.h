#pragma once
/// UnsignedJobs: what named Kubo peers ask for unsigned, as jobs that this node answers for.

#include "identity/key.h"
#include "job/message.h"
#include "log/entry.h"
#include "multiformats/cid.h"
#include "transport/kubo/unsigned_topic.h"

#include <cstddef>
#include <functional>
#include <map>
#include <string>

namespace ic::wiring {

namespace limits {
/// Ours: jobs whose end is awaited for a line of the log. Of more the ledger alone tells.
inline constexpr std::size_t unsigned_jobs_followed_max = 1'024;
} // namespace limits

struct UnsignedJobsOptions {
    const PrivateKey* key = nullptr;          ///< Lifetime: longer than this.
    std::function<void(job::Message)> submit; ///< To this node's coordinator, as its client.
    log::Sink note;                           ///< For the operator.
};

/// Threads: the loop's.
class UnsignedJobs {
public:
    explicit UnsignedJobs(UnsignedJobsOptions options);

    void take(const transport::HeardUnsigned& heard);

    /// What the coordinator tells this node's client: of these jobs a line, of others nothing.
    void told(const job::Message& message);

private:
    void told(const job::Accepted& accepted);
    void told(const job::Rejected& rejected);
    void told(const job::Outcome& outcome);

    struct Followed {
        std::string peer;
        bool accepted = false; ///< Here: of another process of this home it is that one's to tell.
    };

    UnsignedJobsOptions options_;
    std::map<Cid, Followed> followed_;
};

} // namespace ic::wiring
