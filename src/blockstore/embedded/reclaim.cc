#include "blockstore/embedded/reclaim.h"

#include "blockstore/embedded/block_table.h"
#include "blockstore/embedded/rows.h"

#include <algorithm>
#include <set>
#include <utility>

namespace ic::embedded {
namespace {

constexpr std::size_t dead_per_round_max = 4096;

} // namespace

Result<std::vector<Reclaim::Dead>> Reclaim::first_dead() {
    std::vector<Dead> records;
    TRY(environment_.transact(MDB_RDONLY, "listing dead records", [&](MDB_txn* transaction) {
        records.clear();
        MDB_cursor* opened = nullptr;
        int code = mdb_cursor_open(transaction, environment_.tables().dead, &opened);
        if (code != 0) {
            return code;
        }
        const CursorHandle cursor(opened);
        MDB_val key{}, value{};
        for (code = mdb_cursor_get(opened, &key, &value, MDB_FIRST);
             code == 0 && records.size() < dead_per_round_max;
             code = mdb_cursor_get(opened, &key, &value, MDB_NEXT)) {
            const ByteView name = bytes_of(text_of(key));
            if (name.size() == 16) {
                records.push_back({.segment = from_big_endian(name.first(8)),
                                   .offset = from_big_endian(name.last(8)),
                                   .size = decode_number(name, bytes_of(text_of(value)))});
            }
        }
        return code == MDB_NOTFOUND ? 0 : code;
    }));
    return records;
}

Result<bool> Reclaim::is_dead(const Dead& dead) {
    const std::optional<RecordHead> head = TRY(segments_.head_at(dead.segment, dead.offset));
    if (!head || !dead.size || head->size != *dead.size) {
        return false; // Punched before, or not what the row says.
    }
    bool is_pointed_to = false;
    const std::string key(ic::text_of(head->key));
    TRY(environment_.transact(MDB_RDONLY, "looking for a block", [&](MDB_txn* transaction) {
        std::optional<Entry> entry;
        const int code = read_entry(transaction, environment_.tables().index, key, entry);
        const Place* place = entry ? entry->place() : nullptr;
        is_pointed_to =
            code == code_damaged ||
            (place != nullptr && place->segment == dead.segment && place->offset == dead.offset);
        return code == code_damaged ? 0 : code;
    }));
    return !is_pointed_to;
}

/// Neighbours together: a hole frees whole pages only.
Result<void> Reclaim::punch(std::span<const Dead> records) {
    std::uint64_t segment = 0, begin = 0, end = 0;
    for (const Dead& dead : records) {
        if (!TRY(is_dead(dead))) {
            continue;
        }
        if (dead.segment != segment || dead.offset != end) {
            if (end != begin) {
                TRY(segments_.punch(segment, begin, end - begin));
            }
            segment = dead.segment;
            begin = dead.offset;
        }
        end = dead.offset + record_bytes(*dead.size);
    }
    return end != begin ? segments_.punch(segment, begin, end - begin) : Result<void>{};
}

Result<void> Reclaim::forget(std::span<const Dead> records) {
    return environment_.transact(0, "forgetting dead records", [&](MDB_txn* transaction) {
        int code = 0;
        for (const Dead& dead : records) {
            const auto key = encode_dead_key(dead.segment, dead.offset);
            code = code != 0 ? code
                             : erase_row(transaction, environment_.tables().dead, ic::text_of(key));
        }
        return code;
    });
}

Result<void> Reclaim::punch_all() {
    for (std::vector<Dead> records = TRY(first_dead()); !records.empty();
         records = TRY(first_dead())) {
        TRY(punch(records));
        TRY(forget(records)); // After the holes: what a crash leaves is punched once more.
    }
    return {};
}

/// Takes the segment's row away if nothing was committed to it since `end` and nothing lives in it;
/// whether it did. Of two records, the one behind may be committed first: the other one then shows
/// in the living bytes alone. That counter is never trusted to remove: if it is too high, of damage
/// or of a row that was lost, a file stays that could go.
Result<bool> Reclaim::forget_segment(std::uint64_t number, std::uint64_t end) {
    bool is_forgotten = false;
    TRY(environment_.transact(0, "forgetting a segment", [&](MDB_txn* transaction) {
        const MDB_dbi table = environment_.tables().segments;
        const auto key = big_endian(number);
        MDB_val name = value_of(ic::text_of(key)), value{};
        const int code = mdb_get(transaction, table, &name, &value);
        const auto row =
            code == 0 ? decode_segment(key, bytes_of(text_of(value))) : std::optional<SegmentRow>{};
        is_forgotten = row && row->end == end && row->live == 0;
        if (!is_forgotten) {
            return code == MDB_NOTFOUND ? 0 : code;
        }
        return erase_row(transaction, table, ic::text_of(key));
    }));
    return is_forgotten;
}

Result<void> Reclaim::remove_empty(const LivingSegments& living) {
    if (!living.is_complete) {
        return {};
    }
    std::set<std::uint64_t> known;
    for (const auto& [number, row] : living.before) {
        known.insert(number);
        const auto found = living.bytes.find(number);
        if (found != living.bytes.end() && found->second != 0) {
            continue;
        }
        const std::shared_ptr<Segment> segment = segments_.lock(number);
        if (segment && TRY(forget_segment(number, row.end))) {
            TRY(segments_.remove(*segment));
        }
    }
    // Files that a crash left between their making and their first commit, or after the above.
    for (const std::uint64_t number : TRY(segments_.list())) {
        if (known.contains(number)) {
            continue;
        }
        const std::shared_ptr<Segment> segment = segments_.lock(number);
        if (segment && !TRY(has_segment_row(environment_, number))) {
            TRY(segments_.remove(*segment));
        }
    }
    return {};
}

} // namespace ic::embedded
