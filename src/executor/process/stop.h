#pragma once
/// When a run has to stop, and why.

#include "base/result.h"
#include "base/time.h"
#include "executor/executor.h"

#include <optional>

namespace ic::executor::process {

/// The reason to stop now, if there is one.
inline std::optional<Errc> must_stop(const Permit& permit, Instant now) {
    if (const std::optional<Errc> reason = permit.stop_reason()) {
        return reason;
    }
    return now >= permit.lease_until() ? std::optional(Errc::lease_lost) : std::nullopt;
}

/// One line for people about a stop that the broker decided on.
inline std::string describe_stop(Errc reason) {
    switch (reason) {
    case Errc::cancelled:
        return "the job was cancelled";
    case Errc::lease_lost:
        return "the lease ended before the run did";
    case Errc::total_timeout:
        return "the job took longer than all of it may (--total-timeout)";
    case Errc::limit_wall_time:
        return "the run took longer than its limit (--timeout)";
    case Errc::compile_timeout:
        return "compiling the module took longer than its limit (--compile-timeout)";
    default:
        return "the run was stopped: " + std::string(name(reason));
    }
}

} // namespace ic::executor::process
