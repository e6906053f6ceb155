#pragma once
/// Paths through any DAG, as `ipfs dag get` and `ipfs dag resolve` walk them.

#include "base/result.h"
#include "ipld/block.h"
#include "ipld/node.h"
#include "unixfs/content_path.h"

#include <string>
#include <string_view>
#include <vector>

namespace ic::unixfs {

/// How names lead through DAG-PB: those of a directory's entries (`/ipfs/`), or the fields of the
/// node itself (`/ipld/`: "Links/0/Hash").
enum class DagView : std::uint8_t { unixfs, fields };

struct DagPath {
    DagView view = DagView::unixfs;
    ContentPath path;

    /// `/ipld/CID/...` is of fields, everything else as `ContentPath::parse` reads it.
    static Result<DagPath> parse(std::string_view text);
};

/// A block, and the way that is left inside it.
struct DagPlace {
    Cid cid;
    std::vector<std::string> rest;

    /// `CID/rest`.
    std::string to_string() const;
};

/// Where `path` ends: each name is a key, the index of a list, or an entry of a directory, and a
/// link on the way is followed, one at the end too. Sharded directories are looked up by hash.
/// Errors: not_found (a name that leads nowhere; it and the block are named); as the source and the
/// decoders.
Result<DagPlace> resolve_dag(BlockSource& source, const DagPath& path);

/// The value at a place. Errors: as above.
Result<ipld::Node> load_dag(BlockSource& source, const DagPlace& place);

} // namespace ic::unixfs
