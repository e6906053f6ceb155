#pragma once
/// EmbeddedStore::Database: the LMDB environment and its map.

#include "blockstore/embedded/embedded_store.h"

#include <lmdb.h>

#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>

namespace ic {

struct EnvironmentCloser {
    void operator()(MDB_env* environment) const { mdb_env_close(environment); }
};

struct TransactionAborter {
    void operator()(MDB_txn* transaction) const { mdb_txn_abort(transaction); }
};

using EnvironmentHandle = std::unique_ptr<MDB_env, EnvironmentCloser>;
using TransactionHandle = std::unique_ptr<MDB_txn, TransactionAborter>;

/// Every transaction runs under a shared lock and every change of the map under an exclusive one,
/// since LMDB forbids to move the map under a transaction of the same process.
/// Threads: any.
class EmbeddedStore::Database {
public:
    static Result<std::unique_ptr<Database>> open(EmbeddedOptions options);

    /// A copy of the block; nothing if it is not there.
    Result<std::optional<LentBytes>> get(const std::string& key);
    Result<bool> has(const std::string& key);
    /// Whether exactly these bytes are there.
    Result<bool> holds(const std::string& key, ByteView data);
    Result<StoreStat> stat();

    /// All of it or nothing, durable on return.
    Result<void> write(const Batch& batch);

private:
    explicit Database(EmbeddedOptions options) : options_(std::move(options)) {}

    /// Runs `body` on a transaction; grows, follows or reopens the map and runs it again as LMDB's
    /// code says. `body` gives an LMDB code or errno; it may run more than once.
    template <class Body>
    Result<void> transact(unsigned flags, std::string_view what, Body body);

    /// 0 if the transaction can be tried again after this code, else the code.
    int recover_from(int code);
    int open_environment();
    /// MDB_NOTFOUND if there are no tables yet.
    int open_store(MDB_env* environment);
    int make_store(MDB_env* environment);
    int open_tables(MDB_txn* transaction, unsigned flags);
    int put_all(MDB_txn* transaction, const Batch& batch);
    /// Remembers the version of a store that was there, for the error message.
    int read_version(MDB_txn* transaction);
    bool over_quota(const Batch& batch) const;
    Error error_of(int code, std::string_view what) const;

    const EmbeddedOptions options_;
    std::shared_mutex map_;
    EnvironmentHandle environment_;
    MDB_dbi blocks_ = 0;
    MDB_dbi meta_ = 0;
    std::string version_;
};

} // namespace ic
