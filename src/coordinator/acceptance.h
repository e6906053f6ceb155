#pragma once
/// Acceptance: whether a job that somebody hands in may be taken here.

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "coordinator/coordinator.h"
#include "job/invocation.h"

namespace ic::coordinator {

/// Where there are others, each worker decides for itself what a job may reach, and the job's end
/// tells what they said; a node alone knows the answer at once.
enum class Company : std::uint8_t { alone, others };

/// Reads the document and checks it, cheap things first: whom it names as coordinator, its expiry,
/// policy, the signature. Errors: malformed; refused, expired and the like with the remedy.
Result<job::SignedInvocation>
look_at(ByteView document, const Options& options, Company company, UnixSeconds now);

} // namespace ic::coordinator
