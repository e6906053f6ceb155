#pragma once
/// What ipfsComputeCurl is carried out with.

#include "base/result.h"
#include "job/policy.h"
#include "worker/broker_host.h"

#include <string>
#include <vector>

namespace ic::wiring {

/// Requests to hosts that the job lists and `policy.hosts` allows, at public addresses and those of
/// `private_addresses` (`ADDR` or `ADDR:PORT`). Every request carries `Idempotency-Key: job/epoch`
/// unless the guest set one, so that a server can tell a second attempt from a second request.
/// Errors: usage (an address or a host that is none).
Result<worker::Curl> guest_curl(const job::Policy& policy,
                                const std::vector<std::string>& private_addresses);

} // namespace ic::wiring
