#pragma once
/// Writing records into an open transaction. For this folder's sources.

#include "ledger/database.h"
#include "ledger/ledger.h"

namespace ic::ledger {

/// Errors: refused (a grant of a job that is not open), internal (an epoch given twice), and those
/// of the file.
Result<void> apply(Database& database, const Record& record);

Result<std::uint64_t> insert_incarnation(Database& database, const job::Instance& instance);

Result<Adoption>
adopt_jobs(Database& database, const std::vector<job::Instance>& dead, const job::Instance& me);

/// Deletes up to `limits::pruned_per_commit_max` ended jobs beyond the retention; says how many.
Result<std::size_t> prune(Database& database, const Retention& retention, UnixMillis now);

} // namespace ic::ledger
