#pragma once
/// Job: what one thread does at a time when files are added.

#include "base/result.h"
#include "base/unique_fd.h"
#include "importer/walk.h"
#include "unixfs/file_dag.h"
#include "unixfs/leaf_maker.h"
#include "unixfs/metadata.h"

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace ic::importer {

/// What a file was like before it was read.
struct Seen {
    struct stat status{};
    std::int64_t at_ns = 0; ///< The wall clock, just before it was looked at.
};

/// A file that is read in pieces. Shared by the jobs of its pieces.
struct OpenFile {
    Step step;
    UniqueFd fd;
    Seen seen{}; ///< When it was opened; all zero of standard input.
    unixfs::Metadata metadata{};
    unixfs::LeafMaker maker;
};

/// What was read of a file, as long as it is needed: bytes, and where chunks end in them.
struct Filled {
    std::shared_ptr<std::uint8_t[]> buffer{};
    std::size_t bytes = 0;
    std::vector<std::size_t> chunk_ends{}; ///< Empty: not cut yet.
};

/// A step of the walk, or a part of one. Made by one thread (`Cutter`), done by any (`Worker`), put
/// together in order (`Assembler`).
struct Job {
    enum class Kind : std::uint8_t {
        folder_begins,
        folder_ends,
        symlink,
        whole_file,   ///< To be opened and read.
        stream_whole, ///< A stream that ended within `filled`.
        known_file,   ///< From the cache: `entry` is its root.
        piece,        ///< Some chunks of `file`.
    };

    Kind kind = Kind::whole_file;
    Step step{};                      ///< Of all but pieces.
    std::shared_ptr<OpenFile> file{}; ///< Of pieces.
    std::uint64_t offset = 0;         ///< Where a piece begins.
    std::size_t bytes = 0;            ///< Of a piece that is still to be read.
    Filled filled{};                  ///< Of a piece that is read already.
    bool is_last = false;             ///< The piece at the end of its file.

    std::vector<unixfs::Part> parts{};    ///< Done: the leaves of a piece.
    std::optional<unixfs::Entry> entry{}; ///< Done: all but pieces and folders.
    std::optional<Seen> unchanged{};      ///< Done: the state of the whole file that was read.
};

/// Errors: as `system_error`.
Result<Seen> look_at(const UniqueFd& file, const Step& step);

/// Where reading a file that changes meanwhile ends: growing is no change, its first part is what
/// was there. Errors: unavailable.
Result<void> check_unchanged(const struct stat& before, const UniqueFd& file, const Step& step);

/// The mode and time of `status`, for `ImportOptions::metadata_of`. Nothing for an all-zero one.
unixfs::Metadata metadata_in(const struct stat& status);

} // namespace ic::importer
