#include "blockstore/embedded/database.h"

#include "base/file.h"
#include "base/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

namespace ic {
namespace {

constexpr std::string_view format_version = "1"; // docs/formats/store.md
constexpr std::string_view version_key = "format_version";
constexpr std::string_view bytes_key = "block_bytes";
/// A table entry each, 64 bytes; in force for the process that makes the lock file.
constexpr unsigned readers_max = 1024;
/// Codes of ours among LMDB's, which are negative, and errno's.
constexpr int code_version = 1'000'001;
constexpr int code_quota = 1'000'002;
constexpr int code_damaged = 1'000'003;

MDB_val value_of(std::string_view text) {
    return {text.size(), const_cast<char*>(text.data())}; // LMDB does not write through it.
}

MDB_val value_of(ByteView bytes) { return value_of(text_of(bytes)); }

ByteView view_of(const MDB_val& value) {
    return {static_cast<const std::uint8_t*>(value.mv_data), value.mv_size};
}

LentBytes copy_of_mapped(ByteView mapped) {
    auto owned =
        std::make_shared_for_overwrite<std::uint8_t[]>(std::max<std::size_t>(mapped.size(), 1));
    std::copy_n(mapped.data(), mapped.size(), owned.get());
    return {ByteView{owned.get(), mapped.size()}, owned};
}

/// The number kept under `key`, 8 bytes little-endian; 0 if there is none.
int read_number(MDB_txn* transaction, MDB_dbi table, std::string_view name, std::uint64_t& number) {
    MDB_val key = value_of(name), value{};
    const int code = mdb_get(transaction, table, &key, &value);
    number = 0;
    if (code == MDB_NOTFOUND) {
        return 0;
    }
    if (code == 0 && value.mv_size != 8) {
        return code_damaged;
    }
    for (std::size_t index = 0; code == 0 && index < 8; ++index) {
        number |= std::uint64_t{view_of(value)[index]} << (8 * index);
    }
    return code;
}

int write_number(MDB_txn* transaction, MDB_dbi table, std::string_view name, std::uint64_t number) {
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t index = 0; index < 8; ++index) {
        bytes[index] = static_cast<std::uint8_t>(number >> (8 * index));
    }
    MDB_val key = value_of(name), value = value_of(ByteView{bytes});
    return mdb_put(transaction, table, &key, &value, 0);
}

} // namespace

template <class Body>
Result<void> EmbeddedStore::Database::transact(unsigned flags, std::string_view what, Body body) {
    for (;;) {
        int code = 0;
        {
            const std::shared_lock lock(map_);
            MDB_txn* begun = nullptr;
            code = mdb_txn_begin(environment_.get(), nullptr, flags, &begun);
            if (code == 0) {
                TransactionHandle transaction(begun);
                code = body(begun);
                if (code == 0 && flags == 0) {
                    code = mdb_txn_commit(transaction.release());
                }
            }
        }
        if (code == 0) {
            return {};
        }
        if (const int fatal = recover_from(code); fatal != 0) {
            return error_of(fatal, what);
        }
    }
}

int EmbeddedStore::Database::recover_from(int code) {
    const std::unique_lock lock(map_); // No transaction of this process is open.
    if (code == MDB_MAP_RESIZED) {
        return mdb_env_set_mapsize(environment_.get(), 0); // 0: as the other process made it.
    }
    if (code == MDB_MAP_FULL) {
        MDB_envinfo info{};
        mdb_env_info(environment_.get(), &info);
        return mdb_env_set_mapsize(environment_.get(), info.me_mapsize * 2);
    }
    if (code == MDB_PANIC) { // A failed write of a meta page; the file is as before it.
        environment_.reset();
        return open_environment();
    }
    return code;
}

Error EmbeddedStore::Database::error_of(int code, std::string_view what) const {
    const std::string where = " in " + options_.folder;
    const std::string doing = std::string(what) + where + ": ";
    switch (code) {
    case code_version:
        return {Errc::unsupported,
                "the store" + where + " has format version " + printable(version_) +
                    ", this program knows " + std::string(format_version) +
                    "; use the newer ipfs-compute that wrote it"};
    case code_quota:
        return {Errc::storage_full,
                "the store" + where + " would pass its quota of " +
                    human_bytes(options_.bytes_max) + "; raise store.bytes_max"};
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return {Errc::storage_full, doing + std::strerror(code) + "; free some space on that disk"};
    case EIO: // What LMDB makes of a write that ends early, which a disk that fills up gives first.
        return {Errc::storage_full,
                doing + "the disk is full or failing; free some space, else see the kernel's log"};
    case ENOMEM:
        return {Errc::storage_full, doing + "no address space for a larger map; raise 'ulimit -v'"};
    case code_damaged:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
        return {Errc::malformed,
                doing + (code == code_damaged ? "a damaged entry" : mdb_strerror(code)) +
                    "; move the folder away, blocks are fetched or added again"};
    case EACCES:
    case EPERM:
    case EROFS:
        return {Errc::refused, doing + std::strerror(code)};
    default:
        return {Errc::unavailable, doing + mdb_strerror(code)};
    }
}

int EmbeddedStore::Database::read_version(MDB_txn* transaction) {
    MDB_val key = value_of(version_key), value{};
    const int code = mdb_get(transaction, meta_, &key, &value);
    if (code != 0) {
        return code == MDB_NOTFOUND ? code_damaged : code;
    }
    version_ = text_of(view_of(value));
    return version_ == format_version ? 0 : code_version;
}

int EmbeddedStore::Database::open_tables(MDB_txn* transaction, unsigned flags) {
    if (const int code = mdb_dbi_open(transaction, "meta", flags, &meta_); code != 0) {
        return code;
    }
    return mdb_dbi_open(transaction, "blocks", flags, &blocks_);
}

int EmbeddedStore::Database::open_environment() {
    MDB_env* made = nullptr;
    int code = mdb_env_create(&made);
    if (code != 0) {
        return code;
    }
    EnvironmentHandle environment(made);
    code = mdb_env_set_mapsize(made, options_.map_bytes_first);
    code = code != 0 ? code : mdb_env_set_maxdbs(made, 2);
    code = code != 0 ? code : mdb_env_set_maxreaders(made, readers_max);
    code = code != 0 ? code : mdb_env_open(made, options_.folder.c_str(), MDB_NOTLS, 0600);
    code = code != 0 ? code : mdb_reader_check(made, nullptr); // Clears what dead readers held.
    if (code != 0) {
        return code;
    }
    code = open_store(made);
    if (code == MDB_NOTFOUND) {
        code = make_store(made);
    }
    if (code == 0) {
        environment_ = std::move(environment);
    }
    return code;
}

int EmbeddedStore::Database::open_store(MDB_env* environment) {
    MDB_txn* begun = nullptr;
    int code = mdb_txn_begin(environment, nullptr, MDB_RDONLY, &begun);
    while (code == MDB_MAP_RESIZED) {
        mdb_env_set_mapsize(environment, 0);
        code = mdb_txn_begin(environment, nullptr, MDB_RDONLY, &begun);
    }
    if (code != 0) {
        return code;
    }
    TransactionHandle transaction(begun);
    code = open_tables(begun, 0);
    code = code != 0 ? code : read_version(begun);
    return code != 0 ? code : mdb_txn_commit(transaction.release()); // Keeps the table handles.
}

int EmbeddedStore::Database::make_store(MDB_env* environment) {
    MDB_txn* begun = nullptr;
    int code = mdb_txn_begin(environment, nullptr, 0, &begun);
    if (code != 0) {
        return code;
    }
    TransactionHandle transaction(begun);
    code = open_tables(begun, MDB_CREATE);
    MDB_val key = value_of(version_key), value = value_of(format_version);
    code = code != 0 ? code : mdb_put(begun, meta_, &key, &value, MDB_NOOVERWRITE);
    if (code == MDB_KEYEXIST) { // Another process was faster.
        code = read_version(begun);
    }
    return code != 0 ? code : mdb_txn_commit(transaction.release());
}

Result<std::unique_ptr<EmbeddedStore::Database>>
EmbeddedStore::Database::open(EmbeddedOptions options) {
    TRY(make_folders(options.folder, 0700));
    std::unique_ptr<Database> database(new Database(std::move(options)));
    if (const int code = database->open_environment(); code != 0) {
        return database->error_of(code, "opening the store");
    }
    return database;
}

Result<std::optional<LentBytes>> EmbeddedStore::Database::get(const std::string& key) {
    std::optional<LentBytes> found;
    TRY(transact(MDB_RDONLY, "reading a block", [&](MDB_txn* transaction) {
        MDB_val name = value_of(key), value{};
        const int code = mdb_get(transaction, blocks_, &name, &value);
        if (code == 0 && value.mv_size > limits::block_bytes_max) {
            return code_damaged;
        }
        if (code == 0) {
            found = copy_of_mapped(view_of(value));
        }
        return code == MDB_NOTFOUND ? 0 : code;
    }));
    return found;
}

Result<bool> EmbeddedStore::Database::has(const std::string& key) {
    bool found = false;
    TRY(transact(MDB_RDONLY, "looking for a block", [&](MDB_txn* transaction) {
        MDB_val name = value_of(key), value{};
        const int code = mdb_get(transaction, blocks_, &name, &value);
        found = code == 0;
        return code == MDB_NOTFOUND ? 0 : code;
    }));
    return found;
}

Result<bool> EmbeddedStore::Database::holds(const std::string& key, ByteView data) {
    bool same = false;
    TRY(transact(MDB_RDONLY, "looking for a block", [&](MDB_txn* transaction) {
        MDB_val name = value_of(key), value{};
        const int code = mdb_get(transaction, blocks_, &name, &value);
        same = code == 0 && std::ranges::equal(view_of(value), data);
        return code == MDB_NOTFOUND ? 0 : code;
    }));
    return same;
}

Result<StoreStat> EmbeddedStore::Database::stat() {
    StoreStat stat;
    TRY(transact(MDB_RDONLY, "counting blocks", [&](MDB_txn* transaction) {
        MDB_stat table{};
        const int code = mdb_stat(transaction, blocks_, &table);
        stat.blocks = table.ms_entries;
        return code != 0 ? code : read_number(transaction, meta_, bytes_key, stat.bytes);
    }));
    return stat;
}

bool EmbeddedStore::Database::over_quota(const Batch& batch) const {
    MDB_envinfo info{};
    MDB_stat stat{};
    mdb_env_info(environment_.get(), &info);
    mdb_env_stat(environment_.get(), &stat);
    const std::uint64_t file_bytes = (std::uint64_t{info.me_last_pgno} + 1) * stat.ms_psize;
    return options_.bytes_max != 0 && file_bytes + batch.bytes > options_.bytes_max;
}

int EmbeddedStore::Database::put_all(MDB_txn* transaction, const Batch& batch) {
    if (over_quota(batch)) {
        return code_quota;
    }
    std::uint64_t bytes = 0;
    int code = read_number(transaction, meta_, bytes_key, bytes);
    for (const auto& [key, data] : batch.blocks) {
        if (code != 0) {
            return code;
        }
        MDB_val name = value_of(key), old{}, value = value_of(data.view());
        code = mdb_get(transaction, blocks_, &name, &old);
        if (code == 0) {
            if (std::ranges::equal(view_of(old), data.view())) {
                continue;
            }
            bytes -= old.mv_size;
        } else if (code != MDB_NOTFOUND) {
            return code;
        }
        bytes += data.size();
        code = mdb_put(transaction, blocks_, &name, &value, 0);
    }
    return code != 0 ? code : write_number(transaction, meta_, bytes_key, bytes);
}

Result<void> EmbeddedStore::Database::write(const Batch& batch) {
    return transact(
        0, "writing blocks", [&](MDB_txn* transaction) { return put_all(transaction, batch); });
}

} // namespace ic
