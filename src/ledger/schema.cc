#include "ledger/database.h"

#include <array>

namespace ic::ledger {
namespace {

constexpr std::int64_t format_version = 2;
constexpr std::int64_t application_id = 0x49434c31; // "ICL1"

// Step n brings format n to n + 1. A step that shipped is never changed.
constexpr std::array<const char*, 2> steps{R"sql(
CREATE TABLE jobs (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    job          TEXT NOT NULL UNIQUE,
    task         TEXT NOT NULL,
    computation  TEXT NOT NULL,
    submitter    TEXT NOT NULL,
    owner        TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('open', 'finished', 'failed', 'cancelled')),
    stage        TEXT NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    priority     INTEGER NOT NULL,
    cancel_asked TEXT,
    error        TEXT,
    message      TEXT NOT NULL DEFAULT '',
    from_memo    INTEGER NOT NULL DEFAULT 0,
    accepted_ms  INTEGER NOT NULL,
    ended_ms     INTEGER,
    invocation   BLOB NOT NULL
) STRICT;
CREATE INDEX jobs_open ON jobs (owner) WHERE state = 'open';
CREATE INDEX jobs_state ON jobs (state, seq);
CREATE INDEX jobs_ended ON jobs (ended_ms) WHERE state <> 'open';
CREATE TABLE labels (
    seq   INTEGER NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (seq, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE stages (
    seq     INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    stage   INTEGER NOT NULL,
    name    TEXT NOT NULL,
    worker  TEXT,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (seq, attempt, stage)
) STRICT, WITHOUT ROWID;
CREATE TABLE grants (
    seq             INTEGER NOT NULL,
    incarnation     INTEGER NOT NULL,
    n               INTEGER NOT NULL,
    worker          TEXT NOT NULL,
    worker_key      TEXT NOT NULL,
    duration_ms     INTEGER NOT NULL,
    at_ms           INTEGER NOT NULL,
    released_ms     INTEGER,
    attempts_failed INTEGER,
    error           TEXT,
    message         TEXT,
    PRIMARY KEY (seq, incarnation, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE receipts (
    seq         INTEGER NOT NULL,
    receipt     TEXT NOT NULL,
    computation TEXT NOT NULL,
    incarnation INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    worker      TEXT NOT NULL,
    worker_key  TEXT NOT NULL,
    fate        TEXT NOT NULL CHECK (fate IN ('accepted', 'duplicate', 'stale', 'refused')),
    memoizable  INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    bytes       BLOB NOT NULL,
    UNIQUE (seq, receipt)
) STRICT;
CREATE INDEX receipts_memo ON receipts (computation, at_ms) WHERE memoizable = 1;
CREATE TABLE considered (
    seq        INTEGER NOT NULL,
    worker     TEXT NOT NULL,
    worker_key TEXT NOT NULL,
    reason     TEXT NOT NULL,
    message    TEXT NOT NULL,
    at_ms      INTEGER NOT NULL,
    PRIMARY KEY (seq, worker)
) STRICT, WITHOUT ROWID;
CREATE TABLE incarnations (
    incarnation INTEGER PRIMARY KEY AUTOINCREMENT,
    instance    TEXT NOT NULL,
    at_ms       INTEGER NOT NULL
) STRICT;
)sql",
                                           R"sql(
ALTER TABLE jobs ADD COLUMN accepted_boot TEXT;
ALTER TABLE jobs ADD COLUMN accepted_boot_ms INTEGER;
)sql"};
static_assert(steps.size() == format_version);

Result<std::int64_t> pragma(Database& database, const char* sql) {
    Query query = TRY(database.prepare(sql));
    return TRY(query.step()) ? query.integer(0) : 0;
}

Error newer(std::int64_t version) {
    return Error{Errc::unsupported,
                 "the ledger has format " + std::to_string(version) + ", this program knows " +
                     std::to_string(format_version) + ": use a newer ipfs-compute"};
}

Result<void> migrate_in_transaction(Database& database) {
    const std::int64_t version = TRY(pragma(database, "PRAGMA user_version"));
    if (version > format_version) {
        return newer(version);
    }
    const std::int64_t application = TRY(pragma(database, "PRAGMA application_id"));
    if (version != 0 && application != application_id) {
        return Error{Errc::unsupported, "ledger.db is another program's SQLite file"};
    }
    for (auto step = static_cast<std::size_t>(version); step < steps.size(); ++step) {
        TRY(database.run_script(steps[step]));
    }
    const std::string end = "PRAGMA application_id=" + std::to_string(application_id) +
                            "; PRAGMA user_version=" + std::to_string(format_version) + "; COMMIT";
    return database.run_script(end.c_str());
}

} // namespace

Result<void> migrate(Database& database) {
    // Checked first without a lock: nothing of a newer file is touched, not even its journal mode.
    const std::int64_t version = TRY(pragma(database, "PRAGMA user_version"));
    if (version > format_version) {
        return newer(version);
    }
    // What a savepoint would have to undo is kept in memory: a group of some jobs is beyond the
    // size from which SQLite makes a temporary file of it, which costs more than the commit.
    TRY(database.run_script("PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY"));
    TRY(database.run_when_free("PRAGMA journal_mode=WAL"));
    if (version == format_version) {
        return check_format(database);
    }
    TRY(database.run("BEGIN IMMEDIATE"));
    Result<void> migrated = migrate_in_transaction(database);
    if (!migrated && database.in_transaction()) {
        TRY(database.run("ROLLBACK"));
    }
    return migrated;
}

Result<void> check_format(Database& database) {
    const std::int64_t version = TRY(pragma(database, "PRAGMA user_version"));
    if (version > format_version) {
        return newer(version);
    }
    const std::int64_t application = TRY(pragma(database, "PRAGMA application_id"));
    if (version != format_version || application != application_id) {
        return Error{Errc::unsupported,
                     "the ledger has an older format or is not one: start a node to migrate it"};
    }
    return {};
}

} // namespace ic::ledger
