#include "ledger/text.h"

#include <array>
#include <chrono>

namespace ic::ledger {
namespace {

constexpr std::array<std::string_view, 4> states{"open", "finished", "failed", "cancelled"};
constexpr std::array<std::string_view, 4> fates{"accepted", "duplicate", "stale", "refused"};
constexpr std::array<std::string_view, 8> stages{
    "accepted", "queued", "granted", "fetching", "compiling", "running", "publishing", "finished"};

template <std::size_t size>
std::optional<std::uint8_t> number_of(const std::array<std::string_view, size>& words,
                                      std::string_view word) {
    for (std::size_t index = 0; index < size; ++index) {
        if (words[index] == word) {
            return static_cast<std::uint8_t>(index + 1);
        }
    }
    return std::nullopt;
}

Error foreign(const Query& query, int column) {
    return Error{Errc::internal,
                 "the ledger holds what this program does not write: '" + query.text(column) + "'"};
}

} // namespace

UnixMillis now_unix_millis() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::milliseconds>(now).count()};
}

const Cid& job_of(const Record& record) {
    return std::visit(
        [](const auto& one) -> const Cid& {
            if constexpr (requires { one.ids; }) {
                return one.ids.job;
            } else {
                return one.job;
            }
        },
        record);
}

std::string_view name(JobState state) { return states[static_cast<std::size_t>(state) - 1]; }

std::optional<JobState> job_state_of(std::string_view word) {
    const std::optional<std::uint8_t> number = number_of(states, word);
    return number ? std::optional{static_cast<JobState>(*number)} : std::nullopt;
}

std::string_view name(job::ReceiptFate fate) { return fates[static_cast<std::size_t>(fate) - 1]; }

std::string_view stage_word(job::Stage stage) {
    return stages[static_cast<std::size_t>(stage) - 1];
}

Result<Cid> cid_column(const Query& query, int column) {
    Result<Cid> cid = Cid::parse(query.text(column));
    return cid ? std::move(cid) : foreign(query, column);
}

Result<PublicKey> key_column(const Query& query, int column) {
    Result<PublicKey> key = PublicKey::parse_did(query.text(column));
    return key ? std::move(key) : foreign(query, column);
}

Result<job::Instance> instance_column(const Query& query, int column) {
    const std::string hex = query.text(column);
    job::Instance instance;
    if (hex.size() != 2 * instance.bytes.size()) {
        return foreign(query, column);
    }
    for (std::size_t index = 0; index < hex.size(); ++index) {
        const std::size_t digit = std::string_view{"0123456789abcdef"}.find(hex[index]);
        if (digit == std::string_view::npos) {
            return foreign(query, column);
        }
        std::uint8_t& byte = instance.bytes[index / 2];
        byte = static_cast<std::uint8_t>(byte * 16U + digit);
    }
    return instance;
}

Result<JobState> state_column(const Query& query, int column) {
    const std::optional<JobState> state = job_state_of(query.text(column));
    return state ? Result<JobState>(*state) : foreign(query, column);
}

Result<job::Stage> stage_column(const Query& query, int column) {
    const std::optional<std::uint8_t> number = number_of(stages, query.text(column));
    return number ? Result<job::Stage>(static_cast<job::Stage>(*number)) : foreign(query, column);
}

Result<job::ReceiptFate> fate_column(const Query& query, int column) {
    const std::optional<std::uint8_t> number = number_of(fates, query.text(column));
    return number ? Result<job::ReceiptFate>(static_cast<job::ReceiptFate>(*number))
                  : foreign(query, column);
}

Result<std::optional<Errc>> errc_column(const Query& query, int column) {
    if (query.is_null(column)) {
        return std::optional<Errc>{};
    }
    const std::string word = query.text(column);
    for (std::uint64_t number = 1;; ++number) {
        const std::optional<Errc> code = errc_of(number);
        if (!code) {
            return foreign(query, column);
        }
        if (ic::name(*code) == word) {
            return code;
        }
    }
}

Result<JobRow> read_row(Database& database, const Query& query) {
    JobRow row;
    row.sequence = static_cast<std::uint64_t>(query.integer(0));
    row.ids.job = TRY(cid_column(query, 1));
    row.ids.task = TRY(cid_column(query, 2));
    row.ids.computation = TRY(cid_column(query, 3));
    row.submitter = TRY(key_column(query, 4));
    row.owner = TRY(instance_column(query, 5));
    row.state = TRY(state_column(query, 6));
    row.stage = TRY(stage_column(query, 7));
    row.attempts = static_cast<std::uint32_t>(query.integer(8));
    row.priority = static_cast<std::uint32_t>(query.integer(9));
    row.error = TRY(errc_column(query, 10));
    row.message = query.text(11);
    row.from_memo = query.integer(12) != 0;
    row.accepted_at = {query.integer(13)};
    if (!query.is_null(14)) {
        row.ended_at = UnixMillis{query.integer(14)};
    }
    Query labels =
        TRY(database.prepare("SELECT name, value FROM labels WHERE seq = ? ORDER BY name"));
    labels.bind(query.integer(0));
    while (TRY(labels.step())) {
        row.labels.emplace_back(labels.text(0), labels.text(1));
    }
    return row;
}

Result<GrantRow> read_grant(const Query& query) {
    GrantRow grant;
    grant.epoch = {static_cast<std::uint64_t>(query.integer(0)),
                   static_cast<std::uint64_t>(query.integer(1))};
    grant.worker.instance = TRY(instance_column(query, 2));
    grant.worker.key = TRY(key_column(query, 3));
    grant.duration_ms = static_cast<std::uint64_t>(query.integer(4));
    grant.released = !query.is_null(5);
    grant.at = {query.integer(6)};
    return grant;
}

} // namespace ic::ledger
