#pragma once
/// Chronicle: what becomes of jobs, told to operators as it is written to the ledger.

#include "lease/records.h"
#include "log/entry.h"
#include "metrics/registry.h"
#include "traces/exporter.h"

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ic::coordinator {

/// Threads: the loop's.
class Chronicle {
public:
    /// `counts` and `traces` may be null. Lifetime: longer than this.
    Chronicle(log::Sink note, metrics::Registry* counts, traces::Exporter* traces)
        : note_(std::move(note))
        , counts_(counts)
        , traces_(traces) {}

    void tell(const std::vector<lease::Record>& records);

    /// A job of another process has become ours.
    void adopted(const lease::RecoveredJob& job);

    /// A job that seemed ours is another process's.
    void given_away(const Cid& job);

    /// A client was told no.
    void rejected(const Error& error);

private:
    void count(const lease::AcceptedRecord& record);
    void count(const lease::GrantedRecord& record);
    void count(const lease::ReleasedRecord& record);
    void count(const lease::CancelAskedRecord&) {}
    void count(const lease::FinishedRecord& record);
    /// A lease that was granted and not yet released.
    struct Granted {
        job::LeaseRef lease;
        job::WorkerRef worker;
        Instant at;
    };

    /// An open job, as its spans need it.
    struct Traced {
        traces::TraceId trace;
        std::optional<traces::SpanId> parent{};
        Instant accepted;
        Instant queued;
        std::optional<Granted> granted{};
    };

    void trace(const lease::AcceptedRecord& record);
    void trace(const lease::GrantedRecord& record);
    void trace(const lease::ReleasedRecord& record);
    void trace(const lease::CancelAskedRecord&) {}
    void trace(const lease::FinishedRecord& record);
    void begin_trace(const lease::JobEntry& entry, Instant accepted);
    void end_lease(const Cid& job, Traced& traced, std::optional<std::string> error);

    void tell_one(const lease::AcceptedRecord& record);
    void tell_one(const lease::GrantedRecord& record);
    void tell_one(const lease::ReleasedRecord& record);
    void tell_one(const lease::CancelAskedRecord& record);
    void tell_one(const lease::FinishedRecord& record);

    const log::Sink note_;
    metrics::Registry* const counts_;
    traces::Exporter* const traces_;
    std::unordered_map<Cid, Instant> queued_; ///< Open jobs that wait for a grant, and since when.
    std::unordered_map<Cid, Traced> traced_;  ///< Open jobs whose trace is recorded.
};

/// How a job ended, in a word: "success", "guest-exit" (its own status was not 0), or the name of
/// an error.
std::string ending_of(const lease::FinishedRecord& record);

} // namespace ic::coordinator
