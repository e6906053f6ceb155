#pragma once
/// Reading and changing rows within a transaction. For this folder's sources; all functions give 0,
/// LMDB's code, or one of environment.h.

#include "blockstore/embedded/environment.h"
#include "blockstore/embedded/records.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace ic::embedded {

// Names in `meta`. docs/formats/store.md.
inline constexpr std::string_view meta_block_bytes = "block_bytes";
inline constexpr std::string_view meta_live_bytes = "live_bytes";
inline constexpr std::string_view meta_clock = "clock";
inline constexpr std::string_view meta_collected_from = "collected_from";

/// What the tables hold and take.
struct Usage {
    std::uint64_t blocks = 0;
    std::uint64_t block_bytes = 0;
    std::uint64_t disk_bytes = 0; ///< Pages in use, and the records that live.
};

/// Nothing if there is no row. A damaged one is `code_damaged`.
int read_entry(MDB_txn* transaction,
               MDB_dbi index,
               std::string_view key,
               std::optional<Entry>& entry);

/// 0 where there is no row.
int read_number(MDB_txn* transaction, MDB_dbi meta, std::string_view name, std::uint64_t& number);
int write_number(MDB_txn* transaction, MDB_dbi meta, std::string_view name, std::uint64_t number);

int read_usage(MDB_txn* transaction, const Tables& tables, std::uint64_t page_bytes, Usage& usage);

/// Above every stamp of before, and the time of the clock where that is more.
int next_stamp(MDB_txn* transaction, const Tables& tables, Stamp& stamp);

int put_value(MDB_txn* transaction, MDB_dbi table, std::string_view key, std::string_view value);

/// Removes a row if it is there.
int erase_row(MDB_txn* transaction, MDB_dbi table, std::string_view key);

/// Counts what a transaction changes in blocks and records, and writes the sums at its end.
class Accounts {
public:
    Accounts(MDB_txn* transaction, const Tables& tables)
        : transaction_(transaction)
        , tables_(tables) {}

    void add_block(std::size_t bytes) { block_bytes_ += static_cast<std::int64_t>(bytes); }

    void remove_block(std::size_t bytes) { block_bytes_ -= static_cast<std::int64_t>(bytes); }

    /// The index points to this record now.
    void add_record(const Place& place);

    /// The index points to it no more: its space is to be given back.
    int remove_record(const Place& place);

    /// Was written, and nothing will ever point to it.
    int waste_record(const Place& place);

    int write();

private:
    struct Change {
        std::int64_t live = 0;
        std::uint64_t end = 0;
    };

    int write_segment(std::uint64_t number, const Change& change);
    int change_number(std::string_view name, std::int64_t by);
    int mark_dead(const Place& place);

    MDB_txn* transaction_;
    const Tables& tables_;
    std::int64_t block_bytes_ = 0;
    std::int64_t live_bytes_ = 0;
    std::map<std::uint64_t, Change> segments_;
};

} // namespace ic::embedded
