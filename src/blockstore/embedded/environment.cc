#include "blockstore/embedded/environment.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>

namespace ic::embedded {
namespace {

constexpr std::string_view format_version = "2"; // docs/formats/store.md
constexpr std::string_view version_key = "format_version";
/// A table entry each, 64 bytes; in force for the process that makes the lock file.
constexpr unsigned readers_max = 1024;
constexpr MDB_dbi tables_max = 6; // One more than ours: version 1 had another.

std::uint64_t file_bytes(const std::string& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

Result<void> sync_path(const std::string& path, int flags) {
    const UniqueFd file(::open(path.c_str(), flags | O_CLOEXEC));
    if (!file || ::fsync(file.get()) != 0) {
        return system_error("cannot sync", path, errno);
    }
    return {};
}

} // namespace

Result<void> Environment::run(unsigned flags, std::string_view what, void* body, Call call) {
    for (;;) {
        int code = 0;
        {
            const std::shared_lock lock(map_);
            MDB_txn* begun = nullptr;
            code = environment_ ? mdb_txn_begin(environment_.get(), nullptr, flags, &begun)
                                : MDB_PANIC; // It could not be opened again the last time.
            if (code == 0) {
                TransactionHandle transaction(begun);
                code = call(body, begun);
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

int Environment::recover_from(int code) {
    const std::unique_lock lock(map_); // No transaction of this process is open.
    // After a failed write of a meta page, which leaves the file as it was before it.
    if (code == MDB_PANIC || !environment_) {
        environment_.reset();
        return open_environment(Opening::again);
    }
    if (code == MDB_MAP_RESIZED) {
        return mdb_env_set_mapsize(environment_.get(), 0); // 0: as the other process made it.
    }
    if (code == MDB_MAP_FULL) {
        MDB_envinfo info{};
        mdb_env_info(environment_.get(), &info);
        return mdb_env_set_mapsize(environment_.get(), info.me_mapsize * 2);
    }
    return code;
}

Error Environment::error_of(int code, std::string_view what) const {
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
                    human_bytes(options_.bytes_max) +
                    "; remove what no pin names with 'ipfs-compute repo gc', or raise "
                    "store.bytes_max"};
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return {Errc::storage_full,
                doing + std::strerror(code) +
                    "; free some space on that disk, or run 'ipfs-compute repo gc'"};
    case EIO: // What LMDB makes of a write that ends early, which a disk that fills up gives first.
        return {Errc::storage_full,
                doing + "the disk is full or failing; free some space, else see the kernel's log"};
    case ENOMEM:
        return {Errc::storage_full, doing + "no address space for a larger map; raise 'ulimit -v'"};
    case code_damaged:
        return {Errc::malformed, doing + "a damaged entry; 'ipfs-compute repo verify' says more"};
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_BAD_TXN:
        return {Errc::malformed,
                doing + mdb_strerror(code) +
                    "; move the folder away, blocks are fetched or added again"};
    case EACCES:
    case EPERM:
    case EROFS:
        return {Errc::refused,
                doing + std::strerror(code) + "; the folder must be writable for this user"};
    default:
        return {Errc::unavailable, doing + mdb_strerror(code)};
    }
}

int begin_following(MDB_env* environment, unsigned flags, MDB_txn*& begun) {
    int code = mdb_txn_begin(environment, nullptr, flags, &begun);
    while (code == MDB_MAP_RESIZED) {
        code = mdb_env_set_mapsize(environment, 0);
        code = code != 0 ? code : mdb_txn_begin(environment, nullptr, flags, &begun);
    }
    return code;
}

int Environment::read_version(MDB_env* environment) {
    MDB_txn* begun = nullptr;
    int code = begin_following(environment, MDB_RDONLY, begun);
    if (code != 0) {
        return code;
    }
    const TransactionHandle transaction(begun);
    MDB_dbi meta = 0;
    code = mdb_dbi_open(begun, "meta", 0, &meta);
    if (code != 0) {
        return code;
    }
    MDB_val key = value_of(version_key), value{};
    code = mdb_get(begun, meta, &key, &value);
    if (code != 0) {
        return code == MDB_NOTFOUND ? code_damaged : code;
    }
    version_ = text_of(value);
    return version_ == format_version || version_ == "1" ? 0 : code_version;
}

int Environment::open_tables(MDB_txn* transaction, unsigned flags) {
    int code = mdb_dbi_open(transaction, "meta", flags, &tables_.meta);
    code = code != 0 ? code : mdb_dbi_open(transaction, "index", flags, &tables_.index);
    code = code != 0 ? code : mdb_dbi_open(transaction, "pins", flags, &tables_.pins);
    code = code != 0 ? code : mdb_dbi_open(transaction, "segments", flags, &tables_.segments);
    return code != 0 ? code : mdb_dbi_open(transaction, "dead", flags, &tables_.dead);
}

int Environment::open_environment(Opening opening) {
    MDB_env* made = nullptr;
    int code = mdb_env_create(&made);
    if (code != 0) {
        return code;
    }
    EnvironmentHandle environment(made);
    code = mdb_env_set_mapsize(made, options_.map_bytes_first);
    code = code != 0 ? code : mdb_env_set_maxdbs(made, tables_max);
    code = code != 0 ? code : mdb_env_set_maxreaders(made, readers_max);
    code = code != 0 ? code : mdb_env_open(made, options_.folder.c_str(), MDB_NOTLS, 0600);
    code = code != 0 ? code : mdb_reader_check(made, nullptr); // Clears what dead readers held.
    if (code != 0) {
        return code;
    }
    code = open_store(made);
    if (code == MDB_NOTFOUND) { // New ones would be written over what is left of the old.
        code = opening == Opening::first ? make_store(made) : code_damaged;
    }
    if (code == 0) {
        MDB_stat stat{};
        mdb_env_stat(made, &stat);
        page_bytes_ = stat.ms_psize;
        environment_ = std::move(environment);
    }
    return code;
}

int Environment::open_store(MDB_env* environment) {
    if (const int code = read_version(environment); code != 0) {
        return code;
    }
    if (const int code = migrate_from_version_1(environment); code != 0) {
        return code;
    }
    MDB_txn* begun = nullptr;
    int code = begin_following(environment, MDB_RDONLY, begun);
    if (code != 0) {
        return code;
    }
    TransactionHandle transaction(begun);
    code = open_tables(begun, 0);
    code = code == MDB_NOTFOUND ? code_damaged : code; // There was a version, so there were tables.
    return code != 0 ? code : mdb_txn_commit(transaction.release()); // Keeps the table handles.
}

int Environment::make_store(MDB_env* environment) {
    MDB_txn* begun = nullptr;
    int code = begin_following(environment, 0, begun);
    if (code != 0) {
        return code;
    }
    TransactionHandle transaction(begun);
    code = open_tables(begun, MDB_CREATE);
    MDB_val key = value_of(version_key), value = value_of(format_version);
    code = code != 0 ? code : mdb_put(begun, tables_.meta, &key, &value, MDB_NOOVERWRITE);
    code = code == MDB_KEYEXIST ? 0 : code; // Another process of this program was faster.
    return code != 0 ? code : mdb_txn_commit(transaction.release());
}

Result<void> Environment::lock_with_others() {
    const std::string path = options_.folder + "/users.lock";
    users_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!users_) {
        return system_error("cannot open", path, errno);
    }
    while (::flock(users_.get(), LOCK_SH) != 0) { // Waits while the store is compacted.
        if (errno != EINTR) {
            return system_error("cannot lock", path, errno);
        }
    }
    return {};
}

Result<std::unique_ptr<Environment>> Environment::open(EnvironmentOptions options) {
    TRY(make_folders(options.folder, 0700));
    std::unique_ptr<Environment> environment(new Environment(std::move(options)));
    TRY(environment->lock_with_others());
    if (const int code = environment->open_environment(Opening::first); code != 0) {
        return environment->error_of(code, "opening the store");
    }
    return environment;
}

Result<void> Environment::lock_for_compaction() {
    const std::string path = options_.folder + "/compact.lock";
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file) {
        return system_error("cannot open", path, errno);
    }
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? Error{Errc::unavailable,
                                            "another process compacts the store in " +
                                                options_.folder + "; wait until it has ended"}
                                    : system_error("cannot lock", path, errno);
    }
    compaction_ = std::move(file);
    return {};
}

Result<void> Environment::lock_alone() {
    if (!compaction_) {
        TRY(lock_for_compaction());
    }
    if (::flock(users_.get(), LOCK_EX | LOCK_NB) != 0) {
        // Changing a lock gives the old one up first (flock(2)).
        const int error = errno;
        TRY(lock_with_others());
        compaction_.reset();
        return error == EWOULDBLOCK
                   ? Error{Errc::unavailable,
                           "another process has the store in " + options_.folder +
                               " open; stop workers and other commands of this home first"}
                   : system_error("cannot lock", options_.folder, error);
    }
    return {};
}

Result<std::pair<std::uint64_t, std::uint64_t>> Environment::compact() {
    const std::unique_lock lock(map_);
    const std::string file = options_.folder + "/data.mdb", fresh = file + ".new";
    ::unlink(fresh.c_str()); // Left over from one that was broken off.
    const UniqueFd into(::open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!into) {
        return system_error("cannot make", fresh, errno);
    }
    const std::uint64_t before = file_bytes(file);
    int code = environment_ ? 0 : open_environment(Opening::again);
    code = code != 0 ? code : mdb_env_copyfd2(environment_.get(), into.get(), MDB_CP_COMPACT);
    if (code == 0 && ::fsync(into.get()) != 0) {
        code = errno;
    }
    if (code != 0) {
        ::unlink(fresh.c_str());
        return error_of(code, "compacting the store");
    }
    environment_.reset();
    if (::rename(fresh.c_str(), file.c_str()) != 0) {
        code = errno;
        ::unlink(fresh.c_str());
        return system_error("cannot replace", file, code);
    }
    TRY(sync_path(options_.folder, O_RDONLY | O_DIRECTORY));
    if (code = open_environment(Opening::again); code != 0) {
        return error_of(code, "opening the store");
    }
    return std::pair{before, file_bytes(file)};
}

} // namespace ic::embedded
