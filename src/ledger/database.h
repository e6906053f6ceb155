#pragma once
/// Database: one SQLite connection, with errors as Results. For this folder's sources.

#include "base/bytes.h"
#include "base/result.h"

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ic::ledger {

/// A prepared statement, lent by a Database. Parameters are bound in order; it is ready for the
/// next use when this goes.
class Query {
public:
    explicit Query(sqlite3_stmt* statement) : statement_(statement) {}

    Query(Query&& other) noexcept;
    Query& operator=(Query&&) = delete;
    ~Query();

    Query& bind(std::int64_t value);
    Query& bind(std::string_view text);
    Query& bind(ByteView blob);
    Query& bind_null();

    Query& bind(const std::optional<std::int64_t>& value) {
        return value ? bind(*value) : bind_null();
    }

    /// Whether there is a row (then the columns can be read until the next step).
    Result<bool> step();

    /// For statements without rows.
    Result<void> run();

    std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }

    std::string text(int column) const;
    Bytes blob(int column) const;

    bool is_null(int column) const {
        return sqlite3_column_type(statement_, column) == SQLITE_NULL;
    }

private:
    sqlite3_stmt* statement_;
    int next_ = 1;
    int failure_ = SQLITE_OK;
};

enum class Access : std::uint8_t { read, write };

/// Threads: one at a time.
class Database {
public:
    /// Errors: not_found (to be read, and not there), storage_full, unavailable, internal.
    static Result<Database> open(const std::filesystem::path& file, Access access);

    /// Statements are kept prepared. Requires: `sql` is a literal.
    Result<Query> prepare(const char* sql);

    /// One statement without parameters or rows.
    Result<void> run(const char* sql);

    /// Several statements, separated by semicolons.
    Result<void> run_script(const char* sql);

    /// As run_script, for what SQLite refuses at once where waiting could be a deadlock: the change
    /// of the journal's mode, when several processes make the file. Tries again, without any lock
    /// in between, for limits::busy_ms_max at most.
    Result<void> run_when_free(const char* sql);

    /// Rows changed by the last statement.
    std::int64_t changes() const { return sqlite3_changes64(handle_.get()); }

    bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

    sqlite3* handle() const { return handle_.get(); }

private:
    struct Close {
        void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
    };

    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };

    explicit Database(sqlite3* handle) : handle_(handle) {}

    std::unique_ptr<sqlite3, Close> handle_;
    std::map<const void*, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

/// What SQLite's failure means to a caller.
Error error_of(sqlite3* handle, int failure);

/// Brings the file to this program's format, from nothing or from an older one.
/// Errors: unsupported (a newer one).
Result<void> migrate(Database& database);

/// Errors: unsupported if the file's format is not this program's.
Result<void> check_format(Database& database);

} // namespace ic::ledger
