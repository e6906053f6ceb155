#pragma once
/// Chronicle: what becomes of jobs, told to operators as it is written to the ledger.

#include "lease/records.h"
#include "log/entry.h"
#include "metrics/registry.h"

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ic::coordinator {

/// Threads: the loop's.
class Chronicle {
public:
    /// `counts` may be null. Lifetime: longer than this.
    Chronicle(log::Sink note, metrics::Registry* counts)
        : note_(std::move(note))
        , counts_(counts) {}

    void tell(const std::vector<lease::Record>& records);

    /// A client was told no.
    void rejected(const Error& error);

private:
    void count(const lease::AcceptedRecord& record);
    void count(const lease::GrantedRecord& record);
    void count(const lease::ReleasedRecord& record);
    void count(const lease::CancelAskedRecord&) {}
    void count(const lease::FinishedRecord& record);
    void tell_one(const lease::AcceptedRecord& record);
    void tell_one(const lease::GrantedRecord& record);
    void tell_one(const lease::ReleasedRecord& record);
    void tell_one(const lease::CancelAskedRecord& record);
    void tell_one(const lease::FinishedRecord& record);

    const log::Sink note_;
    metrics::Registry* const counts_;
    std::unordered_map<Cid, Instant> queued_; ///< Open jobs that wait for a grant, and since when.
};

/// How a job ended, in a word: "success", "guest-exit" (its own status was not 0), or the name of
/// an error.
std::string ending_of(const lease::FinishedRecord& record);

} // namespace ic::coordinator
