#pragma once
/// Reclaim: gives the space of dead records back. For this folder's sources.

#include "blockstore/embedded/environment.h"
#include "blockstore/embedded/records.h"
#include "blockstore/embedded/segments.h"

#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ic::embedded {

/// Bytes of records that the index was seen to point to, a segment each; not usable to say that a
/// segment is empty if rows of the index could not be read.
struct LivingSegments {
    /// As they were before the index was read: who has committed to one since may have done so
    /// where the reading had passed already.
    std::vector<std::pair<std::uint64_t, SegmentRow>> before;
    std::unordered_map<std::uint64_t, std::uint64_t> bytes;
    bool is_complete = true;
};

/// Trusts neither counters nor rows: a hole is punched only where the record itself says what it is
/// and the index points elsewhere, and a file goes only if no row of the whole index points into
/// it, nothing was committed to it since that was looked at, and the counter says so too. What is
/// in doubt stays. Threads: one at a time in all processes (the collector's lock).
class Reclaim {
public:
    Reclaim(Environment& environment, SegmentFiles& segments)
        : environment_(environment)
        , segments_(segments) {}

    /// Punches holes for all dead records.
    Result<void> punch_all();

    /// Removes segments without living records, and files that no row speaks of.
    Result<void> remove_empty(const LivingSegments& living);

private:
    struct Dead {
        std::uint64_t segment = 0;
        std::uint64_t offset = 0;
        std::optional<std::uint64_t> size; ///< Of the block; nothing: the row is damaged.
    };

    Result<std::vector<Dead>> first_dead();
    Result<bool> is_dead(const Dead& dead);
    Result<void> punch(std::span<const Dead> records);
    Result<void> forget(std::span<const Dead> records);
    Result<bool> forget_segment(std::uint64_t number, std::uint64_t end);

    Environment& environment_;
    SegmentFiles& segments_;
};

} // namespace ic::embedded
