#include "blockstore/embedded/environment.h"
#include "blockstore/embedded/records.h"

#include <algorithm>

/// From version 1, which had `meta` and `blocks` (multihash to the bytes, nothing before them) and
/// kept `block_bytes` as eight bytes. The blocks move a piece at a time, since a transaction holds
/// what it changes in memory and frees the old pages for the ones after it.

namespace ic::embedded {
namespace {

constexpr std::size_t piece_bytes = std::size_t{16} << 20U;
constexpr std::string_view old_table = "blocks";

/// The first step: from here on the store is of version 2, which knows that it may still have a
/// table `blocks` and moves that first.
int begin_version_2(MDB_txn* transaction) {
    MDB_dbi meta = 0, made = 0;
    int code = mdb_dbi_open(transaction, "meta", 0, &meta);
    for (const char* name : {"index", "pins", "segments", "dead"}) {
        code = code != 0 ? code : mdb_dbi_open(transaction, name, MDB_CREATE, &made);
    }
    MDB_val name = value_of("block_bytes"), old{};
    code = code != 0 ? code : mdb_get(transaction, meta, &name, &old);
    if (code == 0) {
        if (old.mv_size != 8) {
            return code_damaged;
        }
        std::uint64_t bytes = 0;
        for (std::size_t index = 0; index < 8; ++index) {
            bytes |= std::uint64_t{static_cast<const std::uint8_t*>(old.mv_data)[index]}
                     << (8 * index);
        }
        const auto row = encode_number(bytes_of("block_bytes"), bytes);
        MDB_val value = value_of(ic::text_of(row));
        code = mdb_put(transaction, meta, &name, &value, 0);
    }
    code = code == MDB_NOTFOUND ? 0 : code; // Version 1 wrote it with the first block.
    MDB_val key = value_of("format_version"), value = value_of("2");
    return code != 0 ? code : mdb_put(transaction, meta, &key, &value, 0);
}

/// Moves the first blocks of the old table; drops it when it is empty.
int move_piece(MDB_txn* transaction, MDB_dbi blocks, bool& is_done) {
    MDB_dbi index = 0;
    if (const int code = mdb_dbi_open(transaction, "index", 0, &index); code != 0) {
        return code;
    }
    MDB_cursor* opened = nullptr;
    if (const int code = mdb_cursor_open(transaction, blocks, &opened); code != 0) {
        return code;
    }
    const CursorHandle cursor(opened);
    std::size_t moved = 0;
    MDB_val key{}, value{};
    int code = mdb_cursor_get(opened, &key, &value, MDB_FIRST);
    while (code == 0 && moved < piece_bytes) {
        // Copies: what LMDB lends ends with the next change.
        const std::string name(text_of(key));
        std::string row(ic::text_of(encode_inline_head(bytes_of(name), 0)));
        row.append(text_of(value));
        moved += row.size();
        MDB_val to = value_of(name), bytes = value_of(row);
        code = mdb_put(transaction, index, &to, &bytes, MDB_NOOVERWRITE);
        code = code == MDB_KEYEXIST ? 0 : code;
        code = code != 0 ? code : mdb_cursor_del(opened, 0);
        code = code != 0 ? code : mdb_cursor_get(opened, &key, &value, MDB_FIRST);
    }
    is_done = code == MDB_NOTFOUND;
    return is_done ? 0 : code;
}

int grow(MDB_env* environment) {
    MDB_envinfo info{};
    mdb_env_info(environment, &info);
    return mdb_env_set_mapsize(environment, info.me_mapsize * 2);
}

int migrate_piece(MDB_env* environment, bool& is_done) {
    MDB_txn* begun = nullptr;
    int code = begin_following(environment, 0, begun);
    if (code != 0) {
        return code;
    }
    TransactionHandle transaction(begun);
    MDB_dbi meta = 0, blocks = 0;
    code = mdb_dbi_open(begun, "meta", 0, &meta);
    MDB_val key = value_of("format_version"), value{};
    code = code != 0 ? code : mdb_get(begun, meta, &key, &value);
    if (code == 0 && text_of(value) == "1") {
        code = begin_version_2(begun);
    }
    code = code != 0 ? code : mdb_dbi_open(begun, old_table.data(), 0, &blocks);
    if (code == MDB_NOTFOUND) { // Nothing to move, or another process has done it.
        is_done = true;
        return mdb_txn_commit(transaction.release());
    }
    bool is_empty = false;
    code = code != 0 ? code : move_piece(begun, blocks, is_empty);
    if (code == 0 && is_empty) {
        code = mdb_drop(begun, blocks, 1);
        is_done = true;
    }
    return code != 0 ? code : mdb_txn_commit(transaction.release());
}

/// Whether a table of version 1 is there, looked at without a lock that others wait for.
int has_old_table(MDB_env* environment, bool& has) {
    MDB_txn* begun = nullptr;
    int code = begin_following(environment, MDB_RDONLY, begun);
    if (code != 0) {
        return code;
    }
    const TransactionHandle transaction(begun);
    MDB_dbi table = 0;
    code = mdb_dbi_open(begun, old_table.data(), 0, &table);
    has = code == 0;
    if (code == MDB_NOTFOUND) { // Without blocks, version 1 had the table too; but be sure.
        code = mdb_dbi_open(begun, "index", 0, &table);
        has = code == MDB_NOTFOUND;
    }
    return code == MDB_NOTFOUND ? 0 : code;
}

} // namespace

int migrate_from_version_1(MDB_env* environment) {
    bool has = false;
    int code = has_old_table(environment, has);
    for (bool is_done = !has; code == 0 && !is_done;) {
        code = migrate_piece(environment, is_done);
        if (code == MDB_MAP_FULL) {
            code = grow(environment);
            is_done = false;
        }
    }
    return code;
}

} // namespace ic::embedded
