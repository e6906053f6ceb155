#pragma once
/// Who may say what, where neither the kernel nor one home says that all is one user's.

#include "identity/key.h"
#include "job/ids.h"
#include "job/invocation.h"
#include "job/message.h"

namespace ic::job {

/// Whether a node of another machine, known by `speaker`, may say `message`: what coordinators and
/// workers say to one another, and of nobody but itself. What clients say and are told is no.
bool speaks_for_itself(const WorkerRef& speaker, const Message& message);

/// Whether `key` may grant this job: the one that the invocation names as its audience.
bool may_coordinate(const Invocation& invocation, const PublicKey& key);

} // namespace ic::job
