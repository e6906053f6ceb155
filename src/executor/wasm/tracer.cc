#include "executor/wasm/tracer.h"

#include "executor/wasm/host.h"
#include "executor/wasm/host_errors.h"
#include "executor/wasm/run.h"
#include "executor/wasm/wasi_types.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ic::executor::wasm {
namespace {

constexpr std::size_t text_bytes_max = 80;
/// Of the last line, which says what was left out.
constexpr std::uint64_t last_line_bytes = 100;

/// Where a call says how many bytes it moved.
enum class Moved : std::uint8_t {
    nothing,
    result,   ///< The result, unless it is an error.
    argument, ///< The argument at `at`, unless the result is an error.
    stored,   ///< A number in memory, where the argument at `at` points, after success.
};

/// What is to be known of a call to say it in brief.
struct Brief {
    std::string_view name;
    int text_at = -1; ///< The argument that is a text's address; its length follows.
    Moved moved = Moved::nothing;
    std::size_t at = 0;
};

constexpr std::array<Brief, 19> briefs{{
    {"fd_read", -1, Moved::stored, 3},
    {"fd_write", -1, Moved::stored, 3},
    {"fd_pread", -1, Moved::stored, 4},
    {"fd_pwrite", -1, Moved::stored, 4},
    {"random_get", -1, Moved::argument, 1},
    {"path_open", 2, Moved::nothing, 0},
    {"path_filestat_get", 2, Moved::nothing, 0},
    {"path_create_directory", 1, Moved::nothing, 0},
    {"path_remove_directory", 1, Moved::nothing, 0},
    {"path_unlink_file", 1, Moved::nothing, 0},
    {"path_readlink", 1, Moved::nothing, 0},
    {"ipfsComputeLog", 0, Moved::argument, 1},
    {"ipfsComputeGet", 0, Moved::nothing, 0},
    {"ipfsComputeLs", 0, Moved::nothing, 0},
    {"ipfsComputeCurl", 0, Moved::nothing, 0},
    {"ipfsComputeAdd", -1, Moved::argument, 1},
    {"ipfsComputeRead", -1, Moved::result, 0},
    {"ipfsComputeReadAt", -1, Moved::result, 0},
    {"ipfsComputeWrite", -1, Moved::result, 0},
}};

constexpr std::array<std::pair<std::int64_t, std::string_view>, 8> errnos{{
    {0, "success"},
    {8, "badf"},
    {21, "fault"},
    {28, "inval"},
    {58, "notsup"},
    {63, "perm"},
    {70, "spipe"},
    {76, "notcapable"},
}};

constexpr std::array<std::string_view, 12> host_errors{"",
                                                       "invalid",
                                                       "bad_pointer",
                                                       "bad_handle",
                                                       "not_found",
                                                       "not_a_file",
                                                       "not_a_directory",
                                                       "unsupported",
                                                       "too_large",
                                                       "refused",
                                                       "network",
                                                       "malformed"};

bool is_ours(std::string_view name) { return name.starts_with("ipfsCompute"); }

/// The name of a result that is an error's number, or `success`; empty for any other.
std::string_view name_of_result(std::string_view call, std::int64_t result) {
    if (is_ours(call)) {
        const bool is_error = result < 0 && result > -std::int64_t{host_errors.size()};
        return is_error ? host_errors[static_cast<std::size_t>(-result)] : std::string_view();
    }
    for (const auto& [number, name] : errnos) {
        if (number == result) {
            return name;
        }
    }
    return {};
}

std::optional<std::string> text_of(const Brief& brief, const TracedCall& call, const Run& run) {
    if (brief.text_at < 0) {
        return std::nullopt;
    }
    const auto at = static_cast<std::size_t>(brief.text_at);
    const auto size = static_cast<std::uint32_t>(call.arguments[at + 1]);
    const auto place = run.memory.slice(static_cast<std::uint32_t>(call.arguments[at]),
                                        std::min<std::size_t>(size, text_bytes_max));
    if (!place) {
        return std::nullopt;
    }
    return std::string(ic::text_of(*place)) + (size > text_bytes_max ? "..." : "");
}

std::optional<std::int64_t> bytes_of(const Brief& brief, const TracedCall& call, const Run& run) {
    const bool failed = !call.result || *call.result < 0 || (!is_ours(call.name) && *call.result);
    if (failed || brief.moved == Moved::nothing) {
        return std::nullopt;
    }
    if (brief.moved == Moved::result) {
        return *call.result;
    }
    const auto argument = static_cast<std::uint32_t>(call.arguments[brief.at]);
    if (brief.moved == Moved::argument) {
        return argument;
    }
    const auto stored = run.memory.load<std::uint32_t>(argument);
    return stored ? std::optional<std::int64_t>(*stored) : std::nullopt;
}

template <class T>
std::string number_or_null(const std::optional<T>& number) {
    return number ? std::to_string(*number) : "null";
}

std::string json_or_null(std::string_view text) {
    return text.empty() ? "null" : json_string(text);
}

std::string line_of(const TracedCall& call, const Run& run, Instant started) {
    const auto known = std::ranges::find(briefs, call.name, &Brief::name);
    const Brief brief = known == briefs.end() ? Brief{.name = call.name} : *known;
    const std::optional<std::string> text = text_of(brief, call, run);
    std::string line = R"({"call":)" + json_string(call.name) + R"(,"at_ns":)" +
                       std::to_string((call.begin - started).count()) + R"(,"took_ns":)" +
                       std::to_string((call.end - call.begin).count()) + R"(,"arguments":[)";
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
        line += (i == 0 ? "" : ",") + std::to_string(call.arguments[i]);
    }
    line += R"(],"text":)" + (text ? json_string(*text) : "null");
    line += R"(,"result":)" + number_or_null(call.result) + R"(,"result_name":)" +
            json_or_null(call.result ? name_of_result(call.name, *call.result) : "");
    line += R"(,"bytes":)" + number_or_null(bytes_of(brief, call, run)) + R"(,"ended":)" +
            json_or_null(!run.ended()         ? std::string_view()
                         : run.ending().error ? name(*run.ending().error)
                                              : "exit");
    return line + "}\n";
}

} // namespace

void Tracer::add(const TracedCall& call, const Run& run) {
    if (left_out_ > 0) {
        ++left_out_;
        return;
    }
    std::string line = line_of(call, run, started_);
    if (bytes_ + line.size() + last_line_bytes > executor::limits::trace_bytes_max) {
        left_out_ = 1;
        return;
    }
    if (waiting_.size() + line.size() > limits::log_piece_bytes_max) {
        flush();
    }
    bytes_ += line.size();
    waiting_ += line;
}

void Tracer::flush() {
    if (!waiting_.empty()) {
        services_.trace(waiting_);
        waiting_.clear();
    }
}

void Tracer::finish() {
    flush();
    if (left_out_ > 0) {
        waiting_ = R"({"call":null,"left_out":)" + std::to_string(left_out_) + "}\n";
        flush();
    }
}

} // namespace ic::executor::wasm
