#pragma once
/// What a node lets be run: pure rules over a job. A node refuses what is above its maxima; it
/// never clamps, since a job that ran with less than it asked for would be another job.

#include "base/result.h"
#include "job/invocation.h"

#include <string>
#include <vector>

namespace ic::job {

/// A node's own rules, from its configuration. The default lets nobody in.
struct Policy {
    /// Who may ask (the invocation's subject): one's own key and those of `trust add`.
    std::vector<PublicKey> submitters;
    /// The most that a job may ask for. `fuel_max` 0: no bound. `cpu_ms_max` 0: as the wall time.
    Limits maxima;
    bool allow_impure = true;
    /// What jobs may reach, of what they ask for: `host` (its usual ports), `host:port`, or `*`
    /// (any). An entry covers what is written the same: a host says nothing of its other ports.
    std::vector<std::string> hosts;

    friend bool operator==(const Policy&, const Policy&) = default;
};

/// Whether `policy` lets `invocation` run here. Says nothing of signatures, audience and expiry.
/// Errors: refused; the message names the field, what was asked, what is allowed and the remedy.
Result<void> admits(const Policy& policy, const Invocation& invocation);

} // namespace ic::job
