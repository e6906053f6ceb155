#pragma once
/// Job files: the flags of a job, written down. Format: docs/formats/job-file.md. Each field is
/// named as its flag, with '_' for '-'.

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ic::config {

enum class JobFieldType : std::uint8_t {
    text,
    texts,    ///< A list of texts.
    pairs,    ///< A table of texts.
    duration, ///< A text such as "30s".
    size,     ///< A text such as "64MiB", or a number of bytes.
    number,   ///< A whole one, from 0.
    truth,
};

/// What every reader of JSON takes exactly (RFC 8259, section 6).
inline constexpr std::uint64_t number_max = (std::uint64_t{1} << 53U) - 1;

struct JobField {
    std::string_view name;
    JobFieldType type;
    std::uint64_t most = number_max; ///< Of a number.
    std::uint64_t least = 0;         ///< Of one that limits something.
};

/// All that there are.
std::span<const JobField> job_fields();

/// One that a file gives.
struct GivenField {
    std::string name;
    /// What would stand behind the flag, once for each time: "NAME=VALUE" of a table; "true" or
    /// "false" of a flag without a value.
    std::vector<std::string> words;

    friend bool operator==(const GivenField&, const GivenField&) = default;
};

namespace limits {
/// Ours: a signed job has 64 KiB at most; comments and blanks have room.
inline constexpr std::size_t job_file_bytes_max = 256U << 10U;
} // namespace limits

enum class JobFileFormat : std::uint8_t { json, toml };

/// By the name's ending; of other names JSON if the first letter that is no blank is '{'.
JobFileFormat format_of_job_file(std::string_view name, std::string_view text);

/// In the order of `job_fields`. `name` is for messages.
/// Errors: malformed (a field that is not known, of another type, or no such value), too_large;
/// each with name and line.
Result<std::vector<GivenField>>
parse_job_file(std::string_view text, std::string_view name, JobFileFormat format);

/// As JSON. Inverse: `parse_job_file`, of what that gave.
std::string print_job_file(std::span<const GivenField> fields);

} // namespace ic::config
