#include "base/result.h"

#include <array>

namespace ic {
namespace {

struct Row {
    std::string_view name;
    int http_status;
    int exit_status;
    bool may_retry;
};

// Exit statuses: 120 the command line, 121 what was submitted is wrong, 122 the guest trapped,
// 123 a limit, 124 content that is not to be had, 125 no worker or no time, 126 refused or
// cancelled, 127 a fault of ours.
// clang-format off
constexpr std::array<Row, 48> rows{{
    {"usage", 400, 120, false},
    {"malformed", 400, 121, false},
    {"too-large", 413, 121, false},
    {"unsupported", 501, 121, false},
    {"hash-mismatch", 502, 124, true},
    {"not-found", 404, 124, false},
    {"refused", 403, 126, false},
    {"expired", 410, 126, false},
    {"cancelled", 409, 126, false},
    {"unavailable", 503, 125, true},
    {"storage-full", 507, 125, true},
    {"internal", 500, 127, true},
    {"module-invalid", 422, 121, false},
    {"module-too-large", 413, 121, false},
    {"import-missing", 422, 121, false},
    {"handler-missing", 422, 121, false},
    {"handler-signature", 422, 121, false},
    {"compile-timeout", 422, 123, false},
    {"compile-memory", 422, 123, false},
    {"trap-unreachable", 422, 122, false},
    {"trap-memory", 422, 122, false},
    {"trap-table", 422, 122, false},
    {"trap-call", 422, 122, false},
    {"trap-arithmetic", 422, 122, false},
    {"trap-stack", 422, 122, false},
    {"trap-other", 422, 122, false},
    {"limit-wall-time", 422, 123, false},
    {"limit-cpu-time", 422, 123, false},
    {"limit-fuel", 422, 123, false},
    {"limit-memory", 422, 123, false},
    {"limit-table", 422, 123, false},
    {"limit-output", 422, 123, false},
    {"limit-log", 422, 123, false},
    {"limit-add", 422, 123, false},
    {"limit-handles", 422, 123, false},
    {"cid-unavailable", 504, 124, true},
    {"queue-timeout", 504, 125, true},
    {"claim-timeout", 504, 125, true},
    {"fetch-timeout", 504, 125, true},
    {"publish-timeout", 504, 125, true},
    {"total-timeout", 504, 125, false},
    {"lease-lost", 503, 125, true},
    {"worker-lost", 503, 125, true},
    {"executor-crashed", 502, 125, true},
    {"attempts-exhausted", 503, 125, false},
    {"nondeterministic", 422, 121, false},
    {"limit-host-calls", 422, 123, false},
    {"limit-curls", 422, 123, false},
}};
// clang-format on
static_assert(rows.size() == static_cast<std::size_t>(Errc::limit_curls));

const Row& row(Errc code) { return rows[static_cast<std::size_t>(code) - 1]; }

} // namespace

std::string_view name(Errc code) { return row(code).name; }

int http_status(Errc code) { return row(code).http_status; }

int exit_status(Errc code) { return row(code).exit_status; }

bool may_retry(Errc code) { return row(code).may_retry; }

std::optional<Errc> errc_of(std::uint64_t number) {
    if (number == 0 || number > rows.size()) {
        return std::nullopt;
    }
    return static_cast<Errc>(number);
}

} // namespace ic
