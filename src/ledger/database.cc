#include "ledger/database.h"

#include "ledger/records.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace ic::ledger {
namespace {

// SQLite's own waiting doubles up to 100 ms a try; commits here take about one, so a short even
// pause is both fairer and faster.
constexpr std::chrono::microseconds busy_pause{300};

int wait_while_busy(void*, int tries) {
    if (tries * busy_pause >= std::chrono::milliseconds{limits::busy_ms_max}) {
        return 0;
    }
    std::this_thread::sleep_for(busy_pause);
    return 1;
}

} // namespace

Error error_of(sqlite3* handle, int failure) {
    const std::string text = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(failure);
    const int system = handle != nullptr ? sqlite3_system_errno(handle) : 0;
    switch (failure & 0xff) {
    case SQLITE_FULL:
        return Error{Errc::storage_full, "the disk with the ledger is full"};
    case SQLITE_IOERR:
        if (system == ENOSPC || system == EDQUOT) {
            return Error{Errc::storage_full, "the disk with the ledger is full"};
        }
        return Error{Errc::unavailable,
                     "the ledger's disk fails: " + text +
                         (system != 0 ? std::string(": ") + std::strerror(system) : std::string())};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return Error{Errc::unavailable, "another process holds the ledger too long"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return Error{Errc::internal,
                     "the ledger is damaged (" + text +
                         "): stop all nodes, move ledger.db away and start again"};
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return Error{Errc::unavailable, "cannot use the ledger: " + text};
    default:
        return Error{Errc::internal, "ledger: " + text};
    }
}

Query::Query(Query&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr))
    , next_(other.next_)
    , failure_(other.failure_) {}

Query::~Query() {
    if (statement_ != nullptr) {
        sqlite3_reset(statement_);
        sqlite3_clear_bindings(statement_);
    }
}

Query& Query::bind(std::int64_t value) {
    failure_ |= sqlite3_bind_int64(statement_, next_++, value);
    return *this;
}

Query& Query::bind(std::string_view text) {
    const char* const begin = text.empty() ? "" : text.data();
    failure_ |=
        sqlite3_bind_text64(statement_, next_++, begin, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    return *this;
}

Query& Query::bind(ByteView blob) {
    const void* const begin = blob.empty() ? static_cast<const void*>("") : blob.data();
    failure_ |= sqlite3_bind_blob64(statement_, next_++, begin, blob.size(), SQLITE_TRANSIENT);
    return *this;
}

Query& Query::bind_null() {
    failure_ |= sqlite3_bind_null(statement_, next_++);
    return *this;
}

Result<bool> Query::step() {
    sqlite3* const handle = sqlite3_db_handle(statement_);
    if (failure_ != SQLITE_OK) {
        return Error{Errc::internal, "ledger: a value could not be bound"};
    }
    const int outcome = sqlite3_step(statement_);
    if (outcome == SQLITE_ROW || outcome == SQLITE_DONE) {
        return outcome == SQLITE_ROW;
    }
    return error_of(handle, outcome);
}

Result<void> Query::run() {
    while (TRY(step())) {
    }
    return {};
}

std::string Query::text(int column) const {
    const unsigned char* const begin = sqlite3_column_text(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return begin == nullptr ? std::string()
                            : std::string(reinterpret_cast<const char*>(begin), size);
}

Bytes Query::blob(int column) const {
    const auto* const begin =
        static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return begin == nullptr ? Bytes() : Bytes(begin, begin + size);
}

Result<Database> Database::open(const std::filesystem::path& file, Access access) {
    std::error_code ignored;
    if (access == Access::read && !std::filesystem::exists(file, ignored)) {
        return Error{Errc::not_found, "there is no ledger at " + file.string()};
    }
    // A reader too opens for writing: it may be the first to come after a crash, and then has to
    // recover the write-ahead log.
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
                      (access == Access::write ? SQLITE_OPEN_CREATE : 0);
    sqlite3* handle = nullptr;
    const int failure = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
    Database database{handle};
    if (failure != SQLITE_OK) {
        return error_of(handle, failure);
    }
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_handler(handle, wait_while_busy, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    if (access == Access::read) {
        TRY(database.run_script("PRAGMA query_only=ON; PRAGMA foreign_keys=ON"));
        return database;
    }
    return database;
}

Result<Query> Database::prepare(const char* sql) {
    auto& kept = statements_[sql];
    if (!kept) {
        sqlite3_stmt* statement = nullptr;
        const int failure = sqlite3_prepare_v3(
            handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
        if (failure != SQLITE_OK) {
            return error_of(handle_.get(), failure);
        }
        kept.reset(statement);
    }
    return Query{kept.get()};
}

Result<void> Database::run(const char* sql) {
    Query query = TRY(prepare(sql));
    return query.run();
}

Result<void> Database::run_script(const char* sql) {
    const int failure = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
    if (failure != SQLITE_OK) {
        return error_of(handle_.get(), failure);
    }
    return {};
}

Result<void> Database::run_when_free(const char* sql) {
    for (int tries = 0;; ++tries) {
        const int failure = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
        if (failure == SQLITE_OK) {
            return {};
        }
        if ((failure & 0xff) != SQLITE_BUSY || wait_while_busy(nullptr, tries) == 0) {
            return error_of(handle_.get(), failure);
        }
    }
}

} // namespace ic::ledger
