#pragma once
/// Jobs, receipts and their parts as JSON and as text: one shape for every command that shows them.
/// The JSON is in docs/formats/json.md: optional fields are present as null.

#include "job/invocation.h"
#include "job/receipt.h"
#include "ledger/records.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace ic::cli {

nlohmann::json to_json(const job::Ending& ending);
nlohmann::json to_json(const job::Usage& usage);
nlohmann::json to_json(const job::SignedReceipt& receipt);
nlohmann::json to_json(const job::Invocation& invocation);
nlohmann::json to_json(const ledger::JobRow& row);
nlohmann::json to_json(const ledger::JobDetail& detail);

/// "KEY:          VALUE" and the end of the line.
std::string row_text(const std::string& key, const std::string& value);

/// "success", "exit 3", "limit-memory: ...".
std::string summary_of(const job::Ending& ending);

/// The stages of an ended or open job with when each was reached and how long it took.
struct StageLine {
    std::string stage;
    std::optional<std::int64_t> after_ms; ///< Since the job was accepted.
    std::optional<std::int64_t> took_us;
    std::string detail;
};

std::vector<StageLine> stages_of(const ledger::JobDetail& detail);

/// `2026-11-22T09:41:07.123Z`.
std::string utc_text(ledger::UnixMillis at);

/// Several lines for people: everything that `job describe` shows.
std::string describe(const ledger::JobDetail& detail);

/// The same of `job receipt`. `is_trusted`: the worker's key is in the home's list.
std::string describe(const job::SignedReceipt& receipt, bool is_trusted);

} // namespace ic::cli
