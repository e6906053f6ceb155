#pragma once
/// Cutter: the steps of a walk in, jobs out: large files in pieces, so that several threads share
/// one.

#include "base/result.h"
#include "importer/buffer_pool.h"
#include "importer/job.h"
#include "importer/stat_cache.h"
#include "importer/walk.h"
#include "unixfs/chunker.h"
#include "unixfs/import_options.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace ic::importer {

/// How large the pieces are that files are read in: whole chunks where those are of one size.
std::size_t piece_bytes_of(const unixfs::ChunkerSpec& chunker);

/// Room for a piece and a little more: a file that does not fill it has no second piece.
std::size_t buffer_bytes_of(const unixfs::ChunkerSpec& chunker);

/// Threads: one at a time. Lifetime: all that it is given outlives it.
class Cutter {
public:
    /// What the cache knows of a file, if that is still in the store.
    using Known = std::function<Result<std::optional<unixfs::Entry>>(const struct stat&)>;

    Cutter(Walk& walk, const unixfs::ImportOptions& options, BufferPool& pool, Known known);

    /// Nothing at the end. Errors: as `Walk::next`, `Walk::open`; of reading.
    Result<std::optional<Job>> next();

private:
    Result<std::optional<Job>> start(Step step);
    Result<std::optional<Job>> start_stream(Step step);
    Result<std::shared_ptr<OpenFile>> open(Step step);
    Job next_piece_at_offset();
    Result<Job> next_piece_of_stream();
    Result<void> fill();

    Walk& walk_;
    const unixfs::ImportOptions& options_;
    BufferPool& pool_;
    const Known known_;
    const std::size_t piece_bytes_;

    std::shared_ptr<OpenFile> file_; ///< That has more pieces.
    std::uint64_t offset_ = 0;       ///< Where its next piece begins.

    // Of all but files with chunks of one size, since it has to be looked through in order:
    std::optional<unixfs::Chunker> chunker_;
    std::shared_ptr<std::uint8_t[]> buffer_;
    std::size_t filled_ = 0;
    std::size_t looked_at_ = 0; ///< Given to the chunker; the last chunk there has no end yet.
    bool is_at_end_ = false;
};

/// Reads from where `file` stands until `bytes` are filled or it ends; how many that were.
/// Errors: as `system_error`.
Result<std::size_t>
read_full(const UniqueFd& file, std::uint8_t* out, std::size_t bytes, const std::string& path);

/// As `read_full`, from `offset`.
Result<std::size_t> read_full_at(const UniqueFd& file,
                                 std::uint64_t offset,
                                 std::uint8_t* out,
                                 std::size_t bytes,
                                 const std::string& path);

} // namespace ic::importer
