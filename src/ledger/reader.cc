#include "ledger/ledger.h"
#include "ledger/text.h"

#include <algorithm>

namespace ic::ledger {
namespace {

Result<ReceiptRow> read_receipt_row(const Query& query) {
    ReceiptRow row;
    row.cid = TRY(cid_column(query, 0));
    row.receipt = query.blob(1);
    row.epoch = {static_cast<std::uint64_t>(query.integer(2)),
                 static_cast<std::uint64_t>(query.integer(3))};
    row.worker.instance = TRY(instance_column(query, 4));
    row.worker.key = TRY(key_column(query, 5));
    row.fate = TRY(fate_column(query, 6));
    row.at = {query.integer(7)};
    return row;
}

#define IC_LEDGER_RECEIPT "receipt, bytes, incarnation, n, worker, worker_key, fate, at_ms"

bool has_labels(const Labels& all, const Labels& wanted) {
    return std::ranges::all_of(
        wanted, [&all](const auto& label) { return std::ranges::find(all, label) != all.end(); });
}

Result<void> read_stages(Database& database, JobDetail& detail) {
    Query query =
        TRY(database.prepare("SELECT attempt, name, worker, at_ms FROM stages WHERE seq = "
                             "? ORDER BY at_ms, attempt, stage"));
    query.bind(static_cast<std::int64_t>(detail.row.sequence));
    while (TRY(query.step())) {
        StageReached reached{.job = detail.row.ids.job,
                             .attempt = static_cast<std::uint32_t>(query.integer(0)),
                             .stage = TRY(stage_column(query, 1)),
                             .worker = std::nullopt,
                             .at = {query.integer(3)}};
        if (!query.is_null(2)) {
            reached.worker = TRY(instance_column(query, 2));
        }
        detail.stages.push_back(std::move(reached));
    }
    return {};
}

Result<void> read_considered(Database& database, JobDetail& detail) {
    Query query = TRY(database.prepare("SELECT worker, worker_key, reason, message, at_ms FROM "
                                       "considered WHERE seq = ? ORDER BY at_ms, worker"));
    query.bind(static_cast<std::int64_t>(detail.row.sequence));
    while (TRY(query.step())) {
        detail.considered.push_back({.job = detail.row.ids.job,
                                     .worker = {.key = TRY(key_column(query, 1)),
                                                .instance = TRY(instance_column(query, 0))},
                                     .reason = query.text(2),
                                     .message = query.text(3),
                                     .at = {query.integer(4)}});
    }
    return {};
}

} // namespace

struct LedgerReader::Impl {
    Database database;
};

LedgerReader::LedgerReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LedgerReader::LedgerReader(LedgerReader&&) noexcept = default;
LedgerReader& LedgerReader::operator=(LedgerReader&&) noexcept = default;
LedgerReader::~LedgerReader() = default;

Result<LedgerReader> LedgerReader::open(const std::filesystem::path& file) {
    Database database = TRY(Database::open(file, Access::read));
    TRY(check_format(database));
    return LedgerReader{std::make_unique<Impl>(Impl{std::move(database)})};
}

Result<std::vector<JobRow>> LedgerReader::list(const JobFilter& filter) {
    if (filter.limit > limits::list_page_max) {
        return Error{Errc::too_large,
                     "a page holds at most " + std::to_string(limits::list_page_max) + " jobs"};
    }
    // Without a state, every state: the index on (state, seq) serves the first, the key the second.
    Query query = TRY(impl_->database.prepare(
        filter.state ? "SELECT " IC_LEDGER_ROW
                       " FROM jobs WHERE seq < ? AND state = ? ORDER BY seq DESC"
                     : "SELECT " IC_LEDGER_ROW " FROM jobs WHERE seq < ? ORDER BY seq DESC"));
    constexpr auto last = static_cast<std::uint64_t>(INT64_MAX);
    query.bind(static_cast<std::int64_t>(std::min(filter.before.value_or(last), last)));
    if (filter.state) {
        query.bind(name(*filter.state));
    }
    std::vector<JobRow> rows;
    while (rows.size() < filter.limit && TRY(query.step())) {
        JobRow row = TRY(read_row(impl_->database, query));
        if (has_labels(row.labels, filter.labels)) {
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

Result<JobDetail> LedgerReader::describe(const Cid& job) {
    Database& database = impl_->database;
    // One snapshot for all of it: the job may be running.
    TRY(database.run("BEGIN"));
    Result<JobDetail> detail = [&]() -> Result<JobDetail> {
        JobDetail all;
        Query query =
            TRY(database.prepare("SELECT " IC_LEDGER_ROW ", invocation FROM jobs WHERE job = ?"));
        query.bind(std::string_view{job.to_string()});
        if (!TRY(query.step())) {
            return Error{Errc::not_found, "the ledger knows no job " + job.to_string()};
        }
        all.row = TRY(read_row(database, query));
        all.invocation = query.blob(row_columns);
        TRY(read_stages(database, all));
        TRY(read_considered(database, all));
        Query grants = TRY(database.prepare(
            "SELECT incarnation, n, worker, worker_key, duration_ms, released_ms, at_ms FROM "
            "grants WHERE seq = ? ORDER BY incarnation, n"));
        grants.bind(static_cast<std::int64_t>(all.row.sequence));
        while (TRY(grants.step())) {
            all.grants.push_back(TRY(read_grant(grants)));
        }
        Query receipts = TRY(database.prepare(
            "SELECT " IC_LEDGER_RECEIPT " FROM receipts WHERE seq = ? ORDER BY at_ms, rowid"));
        receipts.bind(static_cast<std::int64_t>(all.row.sequence));
        while (TRY(receipts.step())) {
            all.receipts.push_back(TRY(read_receipt_row(receipts)));
        }
        return all;
    }();
    TRY(database.run("COMMIT"));
    return detail;
}

Result<std::vector<Cid>> LedgerReader::find(std::string_view job_prefix) {
    Query query = TRY(impl_->database.prepare(
        "SELECT job FROM jobs WHERE job >= ?1 AND substr(job, 1, length(?1)) = ?1 "
        "ORDER BY seq DESC LIMIT ?2"));
    query.bind(job_prefix).bind(static_cast<std::int64_t>(limits::list_page_max));
    std::vector<Cid> found;
    while (TRY(query.step())) {
        found.push_back(TRY(cid_column(query, 0)));
    }
    return found;
}

Result<std::optional<ReceiptRow>> LedgerReader::memo(const Cid& computation) {
    Query query = TRY(impl_->database.prepare(
        "SELECT " IC_LEDGER_RECEIPT
        " FROM receipts WHERE computation = ? AND memoizable = 1 ORDER BY at_ms DESC LIMIT 1"));
    query.bind(std::string_view{computation.to_string()});
    if (!TRY(query.step())) {
        return std::optional<ReceiptRow>{};
    }
    return std::optional{TRY(read_receipt_row(query))};
}

Result<void>
LedgerReader::visit_content(UnixMillis since,
                            const std::function<Result<void>(const JobContent&)>& visitor) {
    Query jobs = TRY(impl_->database.prepare(
        "SELECT invocation FROM jobs WHERE state = 'open' OR ended_ms >= ?"));
    jobs.bind(since.value);
    while (TRY(jobs.step())) {
        TRY(visitor({.invocation = jobs.blob(0), .receipt = std::nullopt}));
    }
    Query receipts = TRY(impl_->database.prepare(
        "SELECT bytes FROM receipts WHERE fate = 'accepted' AND (seq IN (SELECT seq FROM jobs "
        "WHERE ended_ms >= ?1) OR (memoizable = 1 AND computation IN (SELECT computation FROM jobs "
        "WHERE from_memo = 1 AND ended_ms >= ?1)))"));
    receipts.bind(since.value);
    while (TRY(receipts.step())) {
        TRY(visitor({.invocation = std::nullopt, .receipt = receipts.blob(0)}));
    }
    return {};
}

Result<std::vector<job::Instance>> LedgerReader::owners() {
    Query query =
        TRY(impl_->database.prepare("SELECT DISTINCT owner FROM jobs WHERE state = 'open'"));
    std::vector<job::Instance> found;
    while (TRY(query.step())) {
        found.push_back(TRY(instance_column(query, 0)));
    }
    return found;
}

Result<bool> LedgerReader::is_of_this_home(const job::Instance& instance) {
    Query query =
        TRY(impl_->database.prepare("SELECT 1 FROM incarnations WHERE instance = ? LIMIT 1"));
    query.bind(instance.to_string());
    return query.step();
}

} // namespace ic::ledger
