#pragma once
/// Chronicle: what becomes of runs, told to operators.

#include "base/time.h"
#include "job/ids.h"
#include "job/message.h"
#include "job/receipt.h"
#include "log/entry.h"
#include "metrics/registry.h"
#include "traces/exporter.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ic::worker {

struct StageBegin {
    job::Stage stage{};
    Instant at;
};

/// A run, from its grant to its end.
struct RunReport {
    job::LeaseRef lease;
    Instant granted;
    Instant began{}; ///< On its slot; never before `granted`.
    Instant ended{};
    std::vector<StageBegin> stages{}; ///< In order, from `began` on.
    job::Ending ending{};             ///< Of a run without a receipt: why.
    job::Usage usage{};
    std::optional<std::string> traceparent{}; ///< Of the job.
};

/// Threads: one.
class Chronicle {
public:
    /// `counts` and `traces` may be null. Lifetime: longer than this.
    Chronicle(log::Sink note, metrics::Registry* counts, traces::Exporter* traces)
        : note_(std::move(note))
        , counts_(counts)
        , traces_(traces) {}

    void began(const job::LeaseRef& lease, const job::Instance& coordinator);
    void ended(const RunReport& report);
    void declined(const Cid& job, const Error& error);

private:
    void count(const RunReport& report);
    void trace(const RunReport& report);

    const log::Sink note_;
    metrics::Registry* const counts_;
    traces::Exporter* const traces_;
};

} // namespace ic::worker
