#pragma once
/// `dag/import` and `dag/export`: whole DAGs of a Kubo, as streams of CAR.

#include "base/result.h"
#include "kubo/reach.h"
#include "kubo/rpc.h"
#include "multiformats/cid.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace ic::kubo {

struct DagImport {
    Producer car; ///< Called until the call returns.
    /// Pinned, and each must be what the CAR's header names; empty: nothing is pinned or checked.
    std::vector<Cid> roots{};
    std::chrono::milliseconds time_max = std::chrono::minutes(30); ///< For all of it.
    Stop stop{};
};

struct ImportedDag {
    std::uint64_t blocks = 0;
    std::uint64_t bytes = 0; ///< Of blocks.
};

/// `dag/import`. Kubo verifies each block and, where it pins, that the DAG is whole. Is not tried
/// again. Errors beside those of Rpc: hash_mismatch for a block that is not what its CID says;
/// cid_unavailable if a root could not be pinned (blocks of it are missing) or did not come back;
/// what `car` says.
Result<ImportedDag> dag_import(Rpc& rpc, const DagImport& import);

/// `dag/export`: begins to read the CAR of a DAG, depth first, its root first. Kubo learns on the
/// way that a block is missing: the answer then ends in an error. Nothing is verified. Errors
/// beside those of Rpc: cid_unavailable, here or while reading.
Result<std::unique_ptr<RpcAnswer>>
dag_export(Rpc& rpc, const Cid& root, const Reach& reach, Stop stop = {});

} // namespace ic::kubo
