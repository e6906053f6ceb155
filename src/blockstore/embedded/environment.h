#pragma once
/// Environment: the LMDB environment of a store, its map and its tables. For this folder's sources.

#include "base/result.h"
#include "base/unique_fd.h"

#include <lmdb.h>

#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>

namespace ic::embedded {

struct EnvironmentCloser {
    void operator()(MDB_env* environment) const { mdb_env_close(environment); }
};

struct TransactionAborter {
    void operator()(MDB_txn* transaction) const { mdb_txn_abort(transaction); }
};

struct CursorCloser {
    void operator()(MDB_cursor* cursor) const { mdb_cursor_close(cursor); }
};

using EnvironmentHandle = std::unique_ptr<MDB_env, EnvironmentCloser>;
using TransactionHandle = std::unique_ptr<MDB_txn, TransactionAborter>;
using CursorHandle = std::unique_ptr<MDB_cursor, CursorCloser>;

/// The tables of format version 2. docs/formats/store.md.
struct Tables {
    MDB_dbi meta = 0;
    MDB_dbi index = 0;
    MDB_dbi pins = 0;
    MDB_dbi segments = 0;
    MDB_dbi dead = 0;
};

/// Codes of ours among LMDB's, which are negative, and errno's.
inline constexpr int code_version = 1'000'001;
inline constexpr int code_quota = 1'000'002;
inline constexpr int code_damaged = 1'000'003;

struct EnvironmentOptions {
    std::string folder;
    std::size_t map_bytes_first = 0;
    std::uint64_t bytes_max = 0; ///< For the message alone.
};

/// Every transaction runs under a shared lock and every change of the map under an exclusive one,
/// since LMDB forbids to move the map under a transaction of the same process.
///
/// Errors of all of it: storage_full (disk, quota or address space), refused (permissions, a
/// read-only file system), malformed (damage), unavailable. Threads: any.
class Environment {
public:
    /// Makes the store, or brings it to this version. Errors: unsupported (a newer version).
    static Result<std::unique_ptr<Environment>> open(EnvironmentOptions options);

    /// Runs `body` (MDB_txn* -> LMDB's code, errno or one of ours) on a transaction; grows, follows
    /// or reopens the map and runs it again as LMDB's code says: `body` may run more than once.
    /// `flags`: 0 to write, MDB_RDONLY to read. A write is durable on return.
    template <class Body>
    Result<void> transact(unsigned flags, std::string_view what, Body body) {
        return run(flags, what, &body, [](void* call, MDB_txn* transaction) {
            return (*static_cast<Body*>(call))(transaction);
        });
    }

    const Tables& tables() const { return tables_; }

    const std::string& folder() const { return options_.folder; }

    std::uint64_t page_bytes() const { return page_bytes_; }

    /// Takes the store for this process alone, until this goes.
    /// Errors: unavailable if another process has it open, or takes it right now.
    Result<void> lock_alone();

    /// Copies the tables, without their free pages, over the old file. Requires: `lock_alone`.
    /// What it gives is the file's size before and after.
    Result<std::pair<std::uint64_t, std::uint64_t>> compact();

private:
    explicit Environment(EnvironmentOptions options) : options_(std::move(options)) {}

    using Call = int (*)(void*, MDB_txn*);
    Result<void> run(unsigned flags, std::string_view what, void* body, Call call);

    /// Whether tables may be missing: where there were some, that is damage.
    enum class Opening : std::uint8_t { first, again };

    Result<void> lock_with_others();
    Result<void> lock_for_compaction();
    /// 0 if the transaction can be tried again after this code, else the code.
    int recover_from(int code);
    int open_environment(Opening opening);
    /// MDB_NOTFOUND if there are no tables yet.
    int open_store(MDB_env* environment);
    int make_store(MDB_env* environment);
    int open_tables(MDB_txn* transaction, unsigned flags);
    int read_version(MDB_env* environment);
    Error error_of(int code, std::string_view what) const;

    const EnvironmentOptions options_;
    UniqueFd users_; ///< Locked, shared with every process that has the store open.
    /// Locked before `users_` is for this process alone: of two that try, one may then give its
    /// shared lock up for a moment, and the other does not take that for being alone.
    UniqueFd compaction_;
    std::shared_mutex map_;
    EnvironmentHandle environment_; ///< Empty when it could not be opened again.
    Tables tables_;
    std::uint64_t page_bytes_ = 0;
    std::string version_; ///< Of a store that was there, for the error message.
};

/// Begins a transaction while the store is being opened; follows the map if another process has
/// made it larger right then. LMDB's code.
int begin_following(MDB_env* environment, unsigned flags, MDB_txn*& begun);

/// Brings the tables of version 1 to version 2, from where an earlier try was broken off.
/// LMDB's code. Docs: docs/formats/store.md, "Version 1".
int migrate_from_version_1(MDB_env* environment);

// --- values --------------------------------------------------------------------------------------

inline MDB_val value_of(std::string_view text) {
    return {text.size(), const_cast<char*>(text.data())}; // LMDB does not write through it.
}

inline std::string_view text_of(const MDB_val& value) {
    return {static_cast<const char*>(value.mv_data), value.mv_size};
}

} // namespace ic::embedded
