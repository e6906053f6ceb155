#include "job/policy.h"

#include "job/spec_codec.h"

#include <algorithm>

namespace ic::job {
namespace {

constexpr std::string_view any_host = "*";

/// `entry` of a policy, `asked` of a job.
bool covers(std::string_view entry, std::string_view asked) {
    return entry == any_host || entry == asked;
}

Error above(std::string_view key,
            std::uint64_t asked,
            std::uint64_t allowed,
            std::string_view flag) {
    const std::string name(key);
    const std::string most = std::to_string(allowed);
    return {Errc::refused,
            "limits." + name + ": the job asks for " + std::to_string(asked) +
                ", this node allows " + most + "; submit with a lower " + std::string(flag)};
}

Result<void> admits_limits(const Limits& maxima, const Limits& asked) {
    for (const LimitRow& row : limit_rows) {
        std::uint64_t value = asked.*row.member;
        std::uint64_t most = maxima.*row.member;
        if (row.member == &Limits::fuel_max) {
            if (most != 0 && value == 0) {
                return Error{Errc::refused,
                             "limits.fuel: the job asks to run unmetered, this "
                             "node allows " +
                                 std::to_string(most) + "; set a fuel limit of that at most"};
            }
            if (most == 0) {
                continue; // No bound.
            }
        }
        if (row.member == &Limits::cpu_ms_max) {
            value = value == 0 ? asked.wall_ms_max : value;
            most = most == 0 ? maxima.wall_ms_max : most;
        }
        if (value > most) {
            return above(row.key, value, most, row.flag);
        }
    }
    if (asked.handles_max > maxima.handles_max) {
        return above("handles", asked.handles_max, maxima.handles_max, "--handles");
    }
    return {};
}

Result<void> admits_hosts(const Policy& policy, const std::vector<std::string>& asked) {
    for (const std::string& host : asked) {
        const bool allowed = std::ranges::any_of(
            policy.hosts, [&host](const std::string& entry) { return covers(entry, host); });
        if (!allowed) {
            std::string list = policy.hosts.empty() ? "none" : "";
            for (const std::string& entry : policy.hosts) {
                list += (list.empty() ? "" : ", ") + entry;
            }
            return Error{Errc::refused,
                         "hosts: the job asks to reach '" + host + "', this node allows " + list +
                             "; start the worker with --allow-host " + host};
        }
    }
    return {};
}

} // namespace

Result<void> admits(const Policy& policy, const Invocation& invocation) {
    if (std::ranges::find(policy.submitters, invocation.issuer) == policy.submitters.end()) {
        const std::string did = invocation.issuer.to_did();
        return Error{Errc::refused,
                     "sub: the job is of " + did + ", this node runs jobs of " +
                         std::to_string(policy.submitters.size()) +
                         " other keys; if you know whose it is: ipfs-compute "
                         "trust add " +
                         did};
    }
    if (invocation.spec.effects == Effects::impure && !policy.allow_impure) {
        return Error{Errc::refused,
                     "effects: the job asks for 'impure', this node allows 'pure'; "
                     "submit without --impure"};
    }
    TRY(admits_limits(policy.maxima, invocation.spec.limits));
    return admits_hosts(policy, invocation.spec.allow_hosts);
}

} // namespace ic::job
