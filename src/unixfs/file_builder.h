#pragma once
/// FileBuilder: bytes in, the DAG of a UnixFS file out.

#include "base/bytes.h"
#include "base/result.h"
#include "ipld/block.h"
#include "unixfs/chunker.h"
#include "unixfs/file_dag.h"
#include "unixfs/leaf_maker.h"
#include "unixfs/metadata.h"
#include "unixfs/profile.h"

#include <optional>

namespace ic::unixfs {

/// Cuts what is written into chunks, makes leaves of them and links those: a Chunker, a LeafMaker
/// and a FileDag in one thread. Memory is bounded by one chunk and one unfinished node a level.
/// Threads: one at a time. Lifetime: the sink outlives it. After an error only destroy it.
class FileBuilder {
public:
    FileBuilder(const Profile& profile, BlockSink& sink, const Metadata& metadata = {});

    /// Chunks that lie whole in `bytes` are hashed and put from there, without a copy: pass large
    /// pieces. Errors: as the sink's and `FileDag::add`.
    Result<void> write(ByteView bytes);

    /// The root of everything written. Once.
    Result<Entry> finish();

private:
    Result<void> put_chunk(ByteView chunk);
    Result<void> put_leaf(const Leaf& leaf);

    LeafMaker maker_;
    FileDag dag_;
    Chunker chunker_;
    BlockSink& sink_;
    bool may_be_only_; ///< The next chunk to put would be another leaf if it were the only one.
    std::optional<Bytes> first_; ///< That chunk, kept until it is known.
    Bytes chunk_;                ///< The start of a chunk, when pieces are small.
    Bytes leaf_;                 ///< Room for DAG-PB leaves, used again and again.
};

} // namespace ic::unixfs
