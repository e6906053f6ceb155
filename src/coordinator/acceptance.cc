#include "coordinator/acceptance.h"

namespace ic::coordinator {

Result<job::SignedInvocation>
look_at(ByteView document, const Options& options, Company company, UnixSeconds now) {
    job::SignedInvocation invocation = TRY(job::read_invocation(document));
    TRY(job::check_acceptance(invocation.invocation, options.self.key, now));
    if (company == Company::others && options.policy.hosts != std::vector<std::string>{"*"}) {
        job::Policy policy = options.policy;
        policy.hosts = {"*"};
        TRY(job::admits(policy, invocation.invocation));
    } else {
        TRY(job::admits(options.policy, invocation.invocation));
    }
    TRY(job::verify_signature(invocation));
    return invocation;
}

} // namespace ic::coordinator
