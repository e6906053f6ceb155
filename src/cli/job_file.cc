#include "cli/job_file.h"

#include "base/file.h"
#include "cli/embedded.h"
#include "config/job_file.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <utility>
#include <variant>

namespace ic::cli {
namespace {

using Words = std::vector<std::string>;

/// Where the words of a field go that is one value or a list of them.
struct Place {
    std::string_view field;
    std::variant<std::string JobFlags::*,
                 std::optional<std::string> JobFlags::*,
                 std::optional<std::uint64_t> JobFlags::*,
                 Words JobFlags::*>
        member;
};

constexpr std::array<Place, 33> places{{
    {"add_size", &JobFlags::add_size},
    {"allow_host", &JobFlags::allow_hosts},
    {"arg", &JobFlags::arguments},
    {"claim_timeout", &JobFlags::claim_timeout},
    {"compile_memory", &JobFlags::compile_memory},
    {"compile_timeout", &JobFlags::compile_timeout},
    {"constraint", &JobFlags::constraints},
    {"cpu_time", &JobFlags::cpu_time},
    {"curls", &JobFlags::curls},
    {"env", &JobFlags::environment},
    {"event", &JobFlags::event},
    {"fetch_timeout", &JobFlags::fetch_timeout},
    {"fuel", &JobFlags::fuel},
    {"handler", &JobFlags::handler},
    {"handles", &JobFlags::handles},
    {"host_calls", &JobFlags::host_calls},
    {"import", &JobFlags::imports},
    {"input", &JobFlags::inputs},
    {"label", &JobFlags::labels},
    {"log_size", &JobFlags::log_size},
    {"memory", &JobFlags::memory},
    {"module_size", &JobFlags::module_size},
    {"nonce", &JobFlags::nonce},
    {"output_size", &JobFlags::output_size},
    {"priority", &JobFlags::priority},
    {"publish_timeout", &JobFlags::publish_timeout},
    {"queue_timeout", &JobFlags::queue_timeout},
    {"retries", &JobFlags::retries},
    {"table_elements", &JobFlags::table_elements},
    {"timeout", &JobFlags::timeout},
    {"total_timeout", &JobFlags::total_timeout},
    {"wasm_cid", &JobFlags::wasm_cid},
    {"wasm_file", &JobFlags::wasm_file},
}};

Result<std::string> read_input() {
    std::string text;
    std::array<char, 4096> piece{};
    while (text.size() <= config::limits::job_file_bytes_max) { // Too much is an error later.
        const ssize_t got = ::read(STDIN_FILENO, piece.data(), piece.size());
        if (got == 0) {
            break;
        }
        if (got < 0 && errno != EINTR) {
            return system_error("cannot read", "standard input", errno);
        }
        text.append(piece.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
    }
    return text;
}

Result<std::vector<config::GivenField>> read_fields(const std::string& path) {
    if (path == "-") {
        return config::parse_job_file(
            TRY(read_input()), "standard input", config::JobFileFormat::json);
    }
    const std::optional<Bytes> content =
        TRY(read_file_if_exists(path, config::limits::job_file_bytes_max));
    if (!content) {
        return Error{Errc::not_found, "there is no " + path};
    }
    const std::string_view text = text_of(*content);
    return config::parse_job_file(text, path, config::format_of_job_file(path, text));
}

/// Pairs of `file` under those of the command line: of one name the latter alone.
Words under(const Words& file, const Words& given) {
    Words all = given;
    for (const std::string& pair : file) {
        const std::string name = pair.substr(0, pair.find('=') + 1);
        if (std::ranges::none_of(
                given, [&name](const std::string& other) { return other.starts_with(name); })) {
            all.push_back(pair);
        }
    }
    return all;
}

void take(JobFlags& flags, const Place& place, const Words& words) {
    if (const auto* text = std::get_if<std::string JobFlags::*>(&place.member)) {
        std::string& value = flags.**text;
        value = value.empty() ? words.front() : value;
    } else if (const auto* handler =
                   std::get_if<std::optional<std::string> JobFlags::*>(&place.member)) {
        flags.** handler = (flags.**handler).value_or(words.front());
    } else if (const auto* number =
                   std::get_if<std::optional<std::uint64_t> JobFlags::*>(&place.member)) {
        std::uint64_t value = 0; // The reader has looked at it.
        std::from_chars(words.front().data(), words.front().data() + words.front().size(), value);
        flags.** number = (flags.**number).value_or(value);
    } else {
        Words& list = flags.*std::get<Words JobFlags::*>(place.member);
        const bool is_pairs =
            place.field != "arg" && place.field != "allow_host" && place.field != "constraint";
        list = is_pairs ? under(words, list) : list.empty() ? words : list;
    }
}

/// `path` as the job file means it.
std::string beside(const std::string& job_file, const std::string& path) {
    if (job_file == "-" || path == "-") {
        return path;
    }
    return (std::filesystem::path(job_file).parent_path() / path).string();
}

} // namespace

Result<JobFlags> with_job_file(JobFlags flags, const std::vector<std::string>& guest_words) {
    TRY(check_given(flags));
    if (flags.job_file.empty()) {
        return flags;
    }
    Result<std::vector<config::GivenField>> read = read_fields(flags.job_file);
    if (!read) {
        return std::move(read).take_error().during("--job-file");
    }
    std::vector<config::GivenField> fields = std::move(read).take();
    const bool has_module = !flags.wasm_cid.empty() || !flags.wasm_file.empty();
    const bool has_arguments = !guest_words.empty() || !flags.arguments.empty();
    for (config::GivenField& field : fields) {
        const bool is_module = field.name == "wasm_cid" || field.name == "wasm_file";
        if ((is_module && has_module) || (field.name == "arg" && has_arguments)) {
            continue;
        }
        if (field.name == "wasm_file" || field.name == "event") {
            field.words.front() = beside(flags.job_file, field.words.front());
        }
        if (field.name == "impure" && flags.impure_option->count() == 0) {
            flags.is_impure = field.words.front() == "true";
        } else if (field.name == "no_cache" && flags.no_cache_option->count() == 0) {
            flags.no_cache = field.words.front() == "true";
        } else if (const auto* const place = std::ranges::find(places, field.name, &Place::field);
                   place != places.end()) {
            take(flags, *place, field.words);
        }
    }
    if (flags.job_file == "-" && (flags.event == "-" || flags.wasm_file == "-")) {
        return Error{Errc::usage, "--job-file - leaves no standard input for another file"};
    }
    return flags;
}

std::string_view job_file_schema() { return job_file_schemas().front().text; }

} // namespace ic::cli
