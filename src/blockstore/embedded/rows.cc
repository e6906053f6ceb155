#include "blockstore/embedded/rows.h"

#include "blockstore/embedded/segments.h"

#include <algorithm>
#include <chrono>

namespace ic::embedded {
namespace {

Stamp clock_microseconds() {
    return static_cast<Stamp>(std::chrono::duration_cast<std::chrono::microseconds>(
                                  std::chrono::system_clock::now().time_since_epoch())
                                  .count());
}

/// Counters that damage has made too small end at nothing.
std::uint64_t moved(std::uint64_t number, std::int64_t by) {
    const std::uint64_t down = by < 0 ? static_cast<std::uint64_t>(-by) : 0;
    return by < 0 ? number - std::min(number, down) : number + static_cast<std::uint64_t>(by);
}

} // namespace

int read_entry(MDB_txn* transaction,
               MDB_dbi index,
               std::string_view key,
               std::optional<Entry>& entry) {
    entry.reset();
    MDB_val name = value_of(key), value{};
    const int code = mdb_get(transaction, index, &name, &value);
    if (code != 0) {
        return code == MDB_NOTFOUND ? 0 : code;
    }
    entry = decode_entry(bytes_of(key), bytes_of(text_of(value)));
    return entry ? 0 : code_damaged;
}

int read_number(MDB_txn* transaction, MDB_dbi meta, std::string_view name, std::uint64_t& number) {
    MDB_val key = value_of(name), value{};
    number = 0;
    const int code = mdb_get(transaction, meta, &key, &value);
    if (code != 0) {
        return code == MDB_NOTFOUND ? 0 : code;
    }
    const std::optional<std::uint64_t> read =
        decode_number(bytes_of(name), bytes_of(text_of(value)));
    if (!read) {
        return code_damaged;
    }
    number = *read;
    return 0;
}

int write_number(MDB_txn* transaction, MDB_dbi meta, std::string_view name, std::uint64_t number) {
    return put_value(transaction, meta, name, ic::text_of(encode_number(bytes_of(name), number)));
}

int put_value(MDB_txn* transaction, MDB_dbi table, std::string_view key, std::string_view value) {
    MDB_val name = value_of(key), bytes = value_of(value);
    return mdb_put(transaction, table, &name, &bytes, 0);
}

int erase_row(MDB_txn* transaction, MDB_dbi table, std::string_view key) {
    MDB_val name = value_of(key);
    const int code = mdb_del(transaction, table, &name, nullptr);
    return code == MDB_NOTFOUND ? 0 : code;
}

int read_usage(MDB_txn* transaction, const Tables& tables, std::uint64_t page_bytes, Usage& usage) {
    std::uint64_t pages = 0;
    for (const MDB_dbi table :
         {tables.meta, tables.index, tables.pins, tables.segments, tables.dead}) {
        MDB_stat stat{};
        if (const int code = mdb_stat(transaction, table, &stat); code != 0) {
            return code;
        }
        pages += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
        usage.blocks = table == tables.index ? stat.ms_entries : usage.blocks;
    }
    std::uint64_t live = 0;
    int code = read_number(transaction, tables.meta, meta_block_bytes, usage.block_bytes);
    code = code != 0 ? code : read_number(transaction, tables.meta, meta_live_bytes, live);
    usage.disk_bytes = pages * page_bytes + live;
    return code;
}

int next_stamp(MDB_txn* transaction, const Tables& tables, Stamp& stamp) {
    Stamp last = 0;
    const int code = read_number(transaction, tables.meta, meta_clock, last);
    stamp = std::max(clock_microseconds(), last + 1);
    return code;
}

void Accounts::add_record(const Place& place) {
    const std::uint64_t bytes = record_bytes(place.size);
    Change& change = segments_[place.segment];
    change.live += static_cast<std::int64_t>(bytes);
    change.end = std::max(change.end, place.offset + bytes);
    live_bytes_ += static_cast<std::int64_t>(bytes);
}

int Accounts::mark_dead(const Place& place) {
    const auto key = encode_dead_key(place.segment, place.offset);
    const auto value = encode_number(key, place.size);
    return put_value(transaction_, tables_.dead, ic::text_of(key), ic::text_of(value));
}

int Accounts::remove_record(const Place& place) {
    const auto bytes = static_cast<std::int64_t>(record_bytes(place.size));
    segments_[place.segment].live -= bytes;
    live_bytes_ -= bytes;
    return mark_dead(place);
}

int Accounts::waste_record(const Place& place) {
    Change& change = segments_[place.segment];
    change.end = std::max(change.end, place.offset + record_bytes(place.size));
    return mark_dead(place);
}

int Accounts::change_number(std::string_view name, std::int64_t by) {
    if (by == 0) {
        return 0;
    }
    std::uint64_t number = 0;
    const int code = read_number(transaction_, tables_.meta, name, number);
    return code != 0 ? code : write_number(transaction_, tables_.meta, name, moved(number, by));
}

int Accounts::write_segment(std::uint64_t number, const Change& change) {
    const auto key = big_endian(number);
    MDB_val name = value_of(ic::text_of(key)), value{};
    SegmentRow row;
    int code = mdb_get(transaction_, tables_.segments, &name, &value);
    if (code == 0) {
        const std::optional<SegmentRow> read = decode_segment(key, bytes_of(text_of(value)));
        if (!read) {
            return code_damaged;
        }
        row = *read;
    } else if (code != MDB_NOTFOUND) {
        return code;
    }
    row.end = std::max(row.end, change.end);
    row.live = moved(row.live, change.live);
    return put_value(
        transaction_, tables_.segments, ic::text_of(key), ic::text_of(encode_segment(key, row)));
}

int Accounts::write() {
    for (const auto& [number, change] : segments_) {
        if (const int code = write_segment(number, change); code != 0) {
            return code;
        }
    }
    const int code = change_number(meta_block_bytes, block_bytes_);
    return code != 0 ? code : change_number(meta_live_bytes, live_bytes_);
}

} // namespace ic::embedded
