#pragma once
/// Worker: does a job: reads, hashes and puts.

#include "base/result.h"
#include "importer/buffer_pool.h"
#include "importer/job.h"
#include "importer/walk.h"
#include "ipld/block.h"
#include "unixfs/import_options.h"

#include <cstdint>
#include <functional>

namespace ic::importer {

/// Takes the blocks that stay in their file. Threads: any.
class InPlace {
public:
    virtual ~InPlace() = default;
    /// `data` is in the file `path` (absolute) from `offset` on. Errors: as `BlockSink::put`.
    virtual Result<void>
    refer(const Cid& cid, ByteView data, const std::string& path, std::uint64_t offset) = 0;
};

/// Threads: any. Lifetime: all that it is given outlives it.
class Worker {
public:
    /// Called as content is read, by any thread.
    using Progress = std::function<void(std::uint64_t bytes)>;

    /// `in_place`: none when blocks are copied.
    Worker(const Walk& walk,
           const unixfs::ImportOptions& options,
           BlockSink& sink,
           InPlace* in_place,
           BufferPool& pool,
           Progress progress);

    /// Errors: of the file system with the path; the sink's; unavailable for a file that changed
    /// while it was read.
    Result<void> work(Job& job) const;

private:
    /// Bytes of one chunk, and where they are.
    struct Chunk {
        ByteView bytes{};
        const Step& step;
        std::uint64_t offset = 0; ///< In the file.
    };

    Result<void> do_kind(Job& job) const;
    Result<void> add_whole_file(Job& job) const;
    Result<void> add_piece(Job& job) const;
    Result<unixfs::Entry>
    add_filled(const Filled& filled, const Step& step, const unixfs::Metadata& metadata) const;
    Result<unixfs::Entry> add_grown(const UniqueFd& file,
                                    const Filled& filled,
                                    const Step& step,
                                    const unixfs::Metadata& metadata) const;
    Result<unixfs::Part> put_leaf(const unixfs::Leaf& leaf, const Chunk& chunk) const;

    const Walk& walk_;
    const unixfs::ImportOptions& options_;
    BlockSink& sink_;
    InPlace* const in_place_;
    BufferPool& pool_;
    const Progress progress_;
};

} // namespace ic::importer
