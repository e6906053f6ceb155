#pragma once
/// Damage to a store's tables, for tests.

#include <gtest/gtest.h>
#include <lmdb.h>

#include <string>

namespace ic::testing_store {

/// Changes one byte of the only row of a table, as a disk might.
inline void damage_row(const std::string& folder, const char* table) {
    MDB_env* environment = nullptr;
    MDB_txn* transaction = nullptr;
    MDB_cursor* cursor = nullptr;
    MDB_dbi rows = 0;
    MDB_val key{}, value{};
    ASSERT_EQ(mdb_env_create(&environment), 0);
    ASSERT_EQ(mdb_env_set_maxdbs(environment, 6), 0);
    ASSERT_EQ(mdb_env_open(environment, folder.c_str(), 0, 0600), 0);
    ASSERT_EQ(mdb_txn_begin(environment, nullptr, 0, &transaction), 0);
    ASSERT_EQ(mdb_dbi_open(transaction, table, 0, &rows), 0);
    ASSERT_EQ(mdb_cursor_open(transaction, rows, &cursor), 0);
    ASSERT_EQ(mdb_cursor_get(cursor, &key, &value, MDB_FIRST), 0);
    std::string name(static_cast<const char*>(key.mv_data), key.mv_size);
    std::string bytes(static_cast<const char*>(value.mv_data), value.mv_size);
    bytes[1] ^= 1;
    key = {name.size(), name.data()};
    value = {bytes.size(), bytes.data()};
    ASSERT_EQ(mdb_put(transaction, rows, &key, &value, 0), 0);
    mdb_cursor_close(cursor);
    ASSERT_EQ(mdb_txn_commit(transaction), 0);
    mdb_env_close(environment);
}

} // namespace ic::testing_store
