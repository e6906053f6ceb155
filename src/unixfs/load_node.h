#pragma once
/// How the readers of this folder open a block.

#include "base/bytes.h"
#include "base/result.h"
#include "ipld/block.h"
#include "ipld/dag_pb.h"
#include "unixfs/data.h"

#include <vector>

namespace ic::unixfs {

/// A block and what it says. A raw block is a file without links whose content is the block.
struct LoadedNode {
    LentBytes block{};
    Data data{}; ///< Its views are parts of `block`.
    std::vector<dag_pb::Link> links{};
};

/// Errors: as `fetch` and the decoders; unsupported for any codec but raw and dag-pb, and for
/// DAG-PB nodes that are not UnixFS.
Result<LoadedNode> load_node(BlockSource& source, const Cid& cid);

} // namespace ic::unixfs
