#include "ledger/apply.h"

#include "ledger/text.h"

#include <array>

namespace ic::ledger {
namespace {

Result<void> put_stage(Database& database,
                       const Cid& job,
                       std::optional<std::int64_t> attempt,
                       job::Stage stage,
                       const std::optional<job::Instance>& worker,
                       UnixMillis at) {
    Query query = TRY(
        database.prepare("INSERT OR IGNORE INTO stages (seq, attempt, stage, name, worker, at_ms) "
                         "SELECT seq, coalesce(?, attempts), ?, ?, ?, ? FROM jobs WHERE job = ?"));
    query.bind(attempt).bind(static_cast<std::int64_t>(stage)).bind(stage_word(stage));
    if (worker) {
        query.bind(std::string_view{worker->to_string()});
    } else {
        query.bind_null();
    }
    query.bind(at.value).bind(std::string_view{job.to_string()});
    return query.run();
}

Result<void> put_receipt(Database& database, const ReceiptKept& kept, bool memoizable) {
    Query query = TRY(database.prepare(
        "INSERT OR IGNORE INTO receipts (seq, receipt, computation, incarnation, n, worker, "
        "worker_key, fate, memoizable, at_ms, bytes) "
        "SELECT seq, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM jobs WHERE job = ?"));
    query.bind(std::string_view{kept.receipt_cid.to_string()})
        .bind(std::string_view{kept.computation.to_string()})
        .bind(static_cast<std::int64_t>(kept.epoch.incarnation))
        .bind(static_cast<std::int64_t>(kept.epoch.n))
        .bind(std::string_view{kept.worker.instance.to_string()})
        .bind(std::string_view{kept.worker.key.to_did()})
        .bind(name(kept.fate))
        .bind(static_cast<std::int64_t>(memoizable))
        .bind(kept.at.value)
        .bind(ByteView{kept.receipt})
        .bind(std::string_view{kept.job.to_string()});
    return query.run();
}

Query& bind_errc(Query& query, const std::optional<Errc>& error) {
    return error ? query.bind(ic::name(*error)) : query.bind_null();
}

/// A job that is known already stays as it is; it is refused to a process that does not own it, so
/// that of two processes which accept one job at once only one goes on with it.
Result<void> check_owner(Database& database, const std::string& job, const job::Instance& owner) {
    Query query = TRY(database.prepare("SELECT owner FROM jobs WHERE job = ?"));
    query.bind(std::string_view{job});
    const bool found = TRY(query.step());
    if (found && query.text(0) != owner.to_string()) {
        return Error{Errc::refused, "job " + job + " was accepted by another process"};
    }
    return {};
}

Result<void> put(Database& database, const JobAccepted& accepted) {
    const std::string job = accepted.ids.job.to_string();
    {
        Query query = TRY(database.prepare(
            "INSERT OR IGNORE INTO jobs (job, task, computation, submitter, owner, state, stage, "
            "priority, accepted_ms, invocation, accepted_boot, accepted_boot_ms) "
            "VALUES (?, ?, ?, ?, ?, 'open', 'accepted', ?, ?, ?, ?, ?)"));
        query.bind(std::string_view{job})
            .bind(std::string_view{accepted.ids.task.to_string()})
            .bind(std::string_view{accepted.ids.computation.to_string()})
            .bind(std::string_view{accepted.submitter.to_did()})
            .bind(std::string_view{accepted.owner.to_string()})
            .bind(static_cast<std::int64_t>(accepted.priority))
            .bind(accepted.at.value)
            .bind(ByteView{accepted.invocation});
        if (accepted.at_since_boot) {
            query.bind(std::string_view{accepted.at_since_boot->boot_id})
                .bind(accepted.at_since_boot->value);
        } else {
            query.bind_null().bind_null();
        }
        TRY(query.run());
    }
    if (database.changes() == 0) {
        return check_owner(database, job, accepted.owner);
    }
    const std::int64_t sequence = sqlite3_last_insert_rowid(database.handle());
    for (const auto& [label, value] : accepted.labels) {
        Query query = TRY(
            database.prepare("INSERT OR IGNORE INTO labels (seq, name, value) VALUES (?, ?, ?)"));
        query.bind(sequence).bind(std::string_view{label}).bind(std::string_view{value});
        TRY(query.run());
    }
    return put_stage(
        database, accepted.ids.job, 0, job::Stage::accepted, std::nullopt, accepted.at);
}

Result<void> put(Database& database, const JobGranted& granted) {
    const std::string job = granted.job.to_string();
    {
        Query query = TRY(database.prepare("UPDATE jobs SET attempts = attempts + 1, stage = "
                                           "'granted' WHERE job = ? AND state = 'open'"));
        TRY(query.bind(std::string_view{job}).run());
    }
    if (database.changes() != 1) {
        return Error{Errc::refused, "job " + job + " is not open and cannot be granted"};
    }
    {
        Query query = TRY(database.prepare(
            "INSERT INTO grants (seq, incarnation, n, worker, worker_key, duration_ms, at_ms) "
            "SELECT seq, ?, ?, ?, ?, ?, ? FROM jobs WHERE job = ?"));
        query.bind(static_cast<std::int64_t>(granted.epoch.incarnation))
            .bind(static_cast<std::int64_t>(granted.epoch.n))
            .bind(std::string_view{granted.worker.instance.to_string()})
            .bind(std::string_view{granted.worker.key.to_did()})
            .bind(static_cast<std::int64_t>(granted.duration_ms))
            .bind(granted.at.value)
            .bind(std::string_view{job});
        TRY(query.run());
    }
    return put_stage(database,
                     granted.job,
                     std::nullopt,
                     job::Stage::granted,
                     granted.worker.instance,
                     granted.at);
}

Result<void> put(Database& database, const GrantReleased& released) {
    Query query = TRY(database.prepare(
        "UPDATE grants SET released_ms = ?, attempts_failed = ?, error = ?, message = ? "
        "WHERE seq = (SELECT seq FROM jobs WHERE job = ?) AND incarnation = ? AND n = ?"));
    query.bind(released.at.value).bind(static_cast<std::int64_t>(released.attempts_failed));
    bind_errc(query, released.error)
        .bind(std::string_view{released.message})
        .bind(std::string_view{released.job.to_string()})
        .bind(static_cast<std::int64_t>(released.epoch.incarnation))
        .bind(static_cast<std::int64_t>(released.epoch.n));
    return query.run();
}

Result<void> put(Database& database, const CancelAsked& asked) {
    Query query =
        TRY(database.prepare("UPDATE jobs SET cancel_asked = ? WHERE job = ? AND state = 'open'"));
    return query.bind(ic::name(asked.reason)).bind(std::string_view{asked.job.to_string()}).run();
}

Result<void> put(Database& database, const StageReached& reached) {
    TRY(put_stage(
        database, reached.job, reached.attempt, reached.stage, reached.worker, reached.at));
    Query query =
        TRY(database.prepare("UPDATE jobs SET stage = ? WHERE job = ? AND state = 'open'"));
    return query.bind(stage_word(reached.stage))
        .bind(std::string_view{reached.job.to_string()})
        .run();
}

// Whether the job was open and has ended now.
Result<bool> end_job(Database& database,
                     const Cid& job,
                     JobState state,
                     const std::optional<Errc>& error,
                     const std::string& message,
                     bool from_memo,
                     UnixMillis at) {
    {
        Query query = TRY(database.prepare(
            "UPDATE jobs SET state = ?, stage = 'finished', error = ?, message = ?, from_memo = ?, "
            "ended_ms = ? WHERE job = ? AND state = 'open'"));
        query.bind(name(state));
        bind_errc(query, error)
            .bind(std::string_view{message})
            .bind(static_cast<std::int64_t>(from_memo))
            .bind(at.value)
            .bind(std::string_view{job.to_string()});
        TRY(query.run());
    }
    if (database.changes() == 0) {
        return false;
    }
    TRY(put_stage(database, job, std::nullopt, job::Stage::finished, std::nullopt, at));
    return true;
}

Result<void> put(Database& database, const JobFinished& finished) {
    const bool ended = TRY(end_job(database,
                                   finished.job,
                                   JobState::finished,
                                   finished.error,
                                   finished.message,
                                   finished.from_memo,
                                   finished.at));
    if (!ended) {
        return {};
    }
    const ReceiptKept kept{.job = finished.job,
                           .computation = finished.computation,
                           .receipt_cid = finished.receipt_cid,
                           .receipt = finished.receipt,
                           .epoch = finished.epoch,
                           .worker = finished.worker,
                           .fate = job::ReceiptFate::accepted,
                           .at = finished.at};
    // A memo's answer answers no later job by itself: the run that made it stays the one source.
    return put_receipt(database, kept, finished.memoizable && !finished.from_memo);
}

Result<void> put(Database& database, const JobFailed& failed) {
    const JobState state = failed.error == Errc::cancelled ? JobState::cancelled : JobState::failed;
    TRY(end_job(database, failed.job, state, failed.error, failed.message, false, failed.at));
    return {};
}

Result<void> put(Database& database, const ReceiptKept& kept) {
    return put_receipt(database, kept, false);
}

Result<void> put(Database& database, const WorkerConsidered& considered) {
    Query query = TRY(database.prepare(
        "INSERT OR REPLACE INTO considered (seq, worker, worker_key, reason, message, at_ms) "
        "SELECT seq, ?, ?, ?, ?, ? FROM jobs WHERE job = ?"));
    query.bind(std::string_view{considered.worker.instance.to_string()})
        .bind(std::string_view{considered.worker.key.to_did()})
        .bind(std::string_view{considered.reason})
        .bind(std::string_view{considered.message})
        .bind(considered.at.value)
        .bind(std::string_view{considered.job.to_string()});
    return query.run();
}

Result<void> read_releases(Database& database, AdoptedJob& job) {
    Query query = TRY(database.prepare(
        "SELECT attempts_failed, error, message FROM grants WHERE seq = ? AND released_ms IS NOT "
        "NULL ORDER BY incarnation, n"));
    query.bind(static_cast<std::int64_t>(job.row.sequence));
    while (TRY(query.step())) {
        job.attempts_failed = static_cast<std::uint32_t>(query.integer(0));
        if (const std::optional<Errc> code = TRY(errc_column(query, 1))) {
            job.last_error = Error{*code, query.text(2)};
            if (!job.first_error) {
                job.first_error = job.last_error;
            }
        }
    }
    return {};
}

} // namespace

Result<void> apply(Database& database, const Record& record) {
    return std::visit([&database](const auto& one) { return put(database, one); }, record);
}

Result<std::uint64_t> insert_incarnation(Database& database, const job::Instance& instance) {
    Query query = TRY(database.prepare("INSERT INTO incarnations (instance, at_ms) VALUES (?, ?)"));
    query.bind(std::string_view{instance.to_string()}).bind(now_unix_millis().value);
    TRY(query.run());
    return static_cast<std::uint64_t>(sqlite3_last_insert_rowid(database.handle()));
}

Result<Adoption>
adopt_jobs(Database& database, const std::vector<job::Instance>& dead, const job::Instance& me) {
    Adoption adoption;
    adoption.incarnation = TRY(insert_incarnation(database, me));
    for (const job::Instance& owner : dead) {
        const std::string owner_hex = owner.to_string();
        if (owner == me) {
            continue;
        }
        Query query = TRY(database.prepare("SELECT " IC_LEDGER_ROW ", invocation, cancel_asked, "
                                           "accepted_boot, accepted_boot_ms FROM jobs "
                                           "WHERE owner = ? AND state = 'open' ORDER BY seq"));
        query.bind(std::string_view{owner_hex});
        while (TRY(query.step())) {
            AdoptedJob job;
            job.row = TRY(read_row(database, query));
            job.row.owner = me;
            job.invocation = query.blob(row_columns);
            job.cancel_asked = TRY(errc_column(query, row_columns + 1));
            if (!query.is_null(row_columns + 2) && !query.is_null(row_columns + 3)) {
                job.accepted_since_boot = BootMillis{.boot_id = query.text(row_columns + 2),
                                                     .value = query.integer(row_columns + 3)};
            }
            Query grant = TRY(database.prepare(
                "SELECT incarnation, n, worker, worker_key, duration_ms, released_ms, at_ms FROM "
                "grants WHERE seq = ? ORDER BY incarnation DESC, n DESC LIMIT 1"));
            grant.bind(static_cast<std::int64_t>(job.row.sequence));
            if (TRY(grant.step())) {
                job.last_grant = TRY(read_grant(grant));
            }
            TRY(read_releases(database, job));
            adoption.jobs.push_back(std::move(job));
        }
        Query update =
            TRY(database.prepare("UPDATE jobs SET owner = ? WHERE owner = ? AND state = 'open'"));
        update.bind(std::string_view{me.to_string()}).bind(std::string_view{owner_hex});
        TRY(update.run());
    }
    return adoption;
}

Result<std::size_t> prune(Database& database, const Retention& retention, UnixMillis now) {
    std::vector<std::int64_t> sequences;
    {
        Query query = TRY(database.prepare(
            "SELECT seq FROM (SELECT seq FROM jobs WHERE state <> 'open' AND ended_ms < ? LIMIT ?) "
            "UNION SELECT seq FROM (SELECT seq FROM jobs WHERE state <> 'open' AND "
            "seq <= (SELECT max(seq) FROM jobs) - ? ORDER BY seq LIMIT ?)"));
        const auto most = static_cast<std::int64_t>(limits::pruned_per_commit_max / 2);
        query.bind(now.value - retention.ended_age_ms_max)
            .bind(most)
            .bind(static_cast<std::int64_t>(retention.ended_jobs_max))
            .bind(most);
        while (TRY(query.step())) {
            sequences.push_back(query.integer(0));
        }
    }
    for (const std::int64_t sequence : sequences) {
        for (const char* sql : {"DELETE FROM labels WHERE seq = ?",
                                "DELETE FROM stages WHERE seq = ?",
                                "DELETE FROM grants WHERE seq = ?",
                                "DELETE FROM receipts WHERE seq = ?",
                                "DELETE FROM considered WHERE seq = ?",
                                "DELETE FROM jobs WHERE seq = ?"}) {
            Query query = TRY(database.prepare(sql));
            TRY(query.bind(sequence).run());
        }
    }
    return sequences.size();
}

} // namespace ic::ledger
