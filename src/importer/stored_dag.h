#pragma once
/// protect_dag: whether everything below a CID is in the store, and stays there for now.

#include "base/result.h"
#include "blockstore/blockstore.h"

namespace ic::importer {

/// Whether `root` and all that it links to are in `store`; they are protected by `session`, as far
/// as they are. Reads the nodes and only looks for the leaves: a file of 1 GiB is one node.
/// Errors: of the store and the decoders, but for blocks that are not there or damaged.
Result<bool> protect_dag(BlockStore& store, WriteSession& session, const Cid& root);

} // namespace ic::importer
