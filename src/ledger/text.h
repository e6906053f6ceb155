#pragma once
/// Values as the ledger's columns hold them. For this folder's sources.

#include "ledger/database.h"
#include "ledger/records.h"

namespace ic::ledger {

std::string_view name(job::ReceiptFate fate);
/// The stable word in columns `stage` and `stages.name`.
std::string_view stage_word(job::Stage stage);

/// Errors of all: internal, if a column holds what this program does not write.
Result<Cid> cid_column(const Query& query, int column);
Result<PublicKey> key_column(const Query& query, int column);
Result<job::Instance> instance_column(const Query& query, int column);
Result<JobState> state_column(const Query& query, int column);
Result<job::Stage> stage_column(const Query& query, int column);
Result<job::ReceiptFate> fate_column(const Query& query, int column);
Result<std::optional<Errc>> errc_column(const Query& query, int column);

/// All of `jobs` but the invocation, as `read_row` takes it.
#define IC_LEDGER_ROW                                                                              \
    "seq, job, task, computation, submitter, owner, state, stage, attempts, priority, error, "     \
    "message, from_memo, accepted_ms, ended_ms"
inline constexpr int row_columns = 15;

/// Reads a row that was selected with IC_LEDGER_ROW, and its labels.
Result<JobRow> read_row(Database& database, const Query& query);

/// Reads {incarnation, n, worker, worker_key, duration_ms, released_ms, at_ms}.
Result<GrantRow> read_grant(const Query& query);

} // namespace ic::ledger
