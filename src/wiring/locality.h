#pragma once
/// How much of what a job needs is in a store.

#include "blockstore/blockstore.h"
#include "job/spec.h"
#include "lease/records.h"

#include <cstddef>

namespace ic::wiring {

namespace limits {
/// Ours: of one job. It is asked on the loop's thread; beyond them the rest is taken to be there to
/// the same share as what was looked at.
inline constexpr std::size_t locality_look_ups_max = 64;
inline constexpr std::size_t locality_blocks_read_max = 8;
} // namespace limits

/// Of the job's module, imports, event and inputs, as far as it can be told: of what begins with a
/// block that is not here nothing is known, so it counts neither way.
lease::Locality locality_of(const job::JobSpec& spec, BlockStore& store);

} // namespace ic::wiring
