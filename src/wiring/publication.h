#pragma once
/// Publication: DAGs of this machine's store into a Kubo, which keeps them and gives them to
/// others.

#include "base/result.h"
#include "ipld/block.h"
#include "kubo/rpc.h"
#include "multiformats/cid.h"

#include <span>

namespace ic::wiring {

/// Sends the whole DAG below each root as one CAR and has Kubo pin the roots. Roots that are not
/// in `source` whole are errors; CIDs that carry their block themselves are left out.
/// Blocks. Threads: any. Errors: as the source and `kubo::dag_import`; what `stop` says.
Result<void>
publish(BlockSource& source, kubo::Rpc& rpc, std::span<const Cid> roots, kubo::Stop stop = {});

} // namespace ic::wiring
