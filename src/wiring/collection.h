#pragma once
/// Collecting a home's garbage: the store's collection with the roots that the ledger knows.

#include "base/result.h"
#include "base/time.h"
#include "blockstore/embedded/embedded_store.h"
#include "config/home.h"
#include "config/settings.h"

namespace ic::wiring {

/// What a collection must keep besides the pins: module, event and inputs of every open job and of
/// those that ended within `store.keep_results`, and output, errors and log of the latter. All of
/// it as far as it is here. The ledger is read when the roots are visited. Errors: usage (the
/// setting); of the visit: as LedgerReader, and the documents' decoders.
Result<VisitRoots>
roots_of_jobs(const config::Home& home, const config::Settings& settings, UnixSeconds now);

} // namespace ic::wiring
