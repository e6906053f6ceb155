#pragma once
/// SegmentFiles: append-only files of large blocks. Format: docs/formats/store.md.

#include "base/bytes.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "blockstore/embedded/records.h"

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ic::embedded {

namespace limits {
/// Ours: segments of which this process holds a descriptor for reading.
inline constexpr std::size_t segments_open_max = 64;
/// Ours: written bytes of a segment after which the kernel is asked to begin writing them out, so
/// that the sync at the end finds little to do.
inline constexpr std::uint64_t writeback_bytes = std::uint64_t{8} << 20U;
} // namespace limits

/// A segment that this process appends to, or did; nobody else does while this lives.
struct Segment {
    std::uint64_t number = 0;
    std::string path;
    UniqueFd fd; ///< Holds the file's lock.
    std::uint64_t end = 0;
    std::uint64_t asked = 0;    ///< Up to here the kernel was asked to write out.
    std::uint64_t released = 0; ///< Up to here that was waited for.
    std::atomic<bool> is_new = false;
    std::atomic<bool> is_dirty = false;
    std::atomic<bool> has_failed = false; ///< A sync failed: what it was to write may be lost.
};

/// A record that was written and is not synced. Whoever waits to commit it keeps the segment.
struct Appended {
    Place place;
    std::shared_ptr<Segment> segment;
};

/// Bytes that the record of a block of this size takes.
inline std::uint64_t record_bytes(std::uint64_t block_bytes) {
    return record_head_bytes + block_bytes;
}

/// The folder of segments of one store. Space is given back by punching holes where the file system
/// can, and by removing files in which nothing lives. Blocks are read into memory, not mapped: a
/// mapped file that somebody cuts, or a disk that fails, would kill the reader with SIGBUS.
/// Threads: any.
class SegmentFiles {
public:
    SegmentFiles(std::string folder, std::uint64_t bytes_max)
        : folder_(std::move(folder))
        , bytes_max_(bytes_max) {}

    /// Nothing if no segment is open for appending, or no room is left in it: `open_new` or
    /// `open_again`, then once more. Errors: storage_full, unavailable.
    Result<std::optional<Appended>> append(ByteView key, ByteView data);

    /// Makes a segment for appending.
    Result<void> open_new();

    /// Locks a segment of before; nothing if another process has it or it is gone. It is not used
    /// until `append_to`.
    std::shared_ptr<Segment> lock(std::uint64_t number);

    /// Appends to a locked segment from `end` on; what stands behind it, torn, is cut off.
    Result<void> append_to(std::shared_ptr<Segment> segment, std::uint64_t end);

    /// Everything appended to it so far is durable. Errors: unavailable, storage_full; for good
    /// once it has failed, since the kernel may have dropped what it could not write.
    Result<void> sync(Segment& segment) const;

    /// The block of a record; nothing if there is no such record there (any more).
    Result<std::optional<LentBytes>> read(const Place& place, ByteView key);

    /// The head of a record; nothing if there is none.
    Result<std::optional<RecordHead>> head_at(std::uint64_t segment, std::uint64_t offset);

    /// Where the first sound head at `from` or behind begins; nothing if there is none, or no file.
    Result<std::optional<std::uint64_t>> next_head(std::uint64_t segment, std::uint64_t from);

    /// Gives the space of these bytes back, as far as the file system can.
    Result<void> punch(std::uint64_t segment, std::uint64_t offset, std::uint64_t bytes) const;

    /// Empties the file and removes it. Requires: nothing points into it.
    Result<void> remove(const Segment& segment);

    /// The numbers of all files there are.
    Result<std::vector<std::uint64_t>> list() const;

private:
    using OpenFile = std::pair<std::uint64_t, std::shared_ptr<UniqueFd>>;

    std::string path_of(std::uint64_t number) const;
    void ask_for_writeback(Segment& segment, std::uint64_t end);
    static void release_written(Segment& segment, std::uint64_t from, std::uint64_t to);
    /// A descriptor for reading, of the last ones used; nothing if the file is gone.
    Result<std::shared_ptr<UniqueFd>> open_for_reading(std::uint64_t number);
    void forget(std::uint64_t number);

    const std::string folder_;
    const std::uint64_t bytes_max_;
    std::mutex mutex_;
    std::shared_ptr<Segment> current_;
    std::mutex reading_mutex_;
    std::list<OpenFile> reading_; ///< The one used last comes first.
};

} // namespace ic::embedded
