#pragma once
/// JobSpec as the `args` of an invocation. Byte layout: docs/formats/job.md.

#include "base/result.h"
#include "ipld/node.h"
#include "job/spec.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ic::job {

/// Whether a limit stands in every document. What came later stands there only if it is not the
/// default, so that the documents and ids of jobs that say nothing of it stay what they were.
enum class LimitPresence : std::uint8_t { always, unless_default };

/// One row a limit: its key in the document, its member, and how people set and read it.
struct LimitRow {
    std::string_view key;
    std::uint64_t Limits::* member;
    std::uint64_t most;    ///< What may stand in a document.
    std::string_view flag; ///< Of `submit`.
    LimitPresence presence = LimitPresence::always;
};

/// All limits but `handles_max`, which is narrower.
extern const std::array<LimitRow, 13> limit_rows;

/// Requires: `check` accepts the spec. Inverse: `read_args`.
ipld::Map args_of(const JobSpec& spec);

/// Errors: malformed, unsupported (a field, ABI or effect that is not known), too_large.
/// The caller checks the result with `check`.
Result<JobSpec> read_args(const ipld::Node& args);

/// Errors: too_large above `bytes_max`; malformed if it is not UTF-8 or holds a zero byte.
Result<void> check_text(std::string_view what, std::string_view text, std::size_t bytes_max);

/// Whether these can be a job's imports. Errors: as `check`.
Result<void> check_imports(const std::vector<NamedModule>& imports);

/// Whether `pairs` is strictly ordered by name and its names are texts of 1 to `text_bytes_max`
/// bytes; at most `count_max`. Errors: malformed, too_large.
template <class Value>
Result<void> check_names(std::string_view what,
                         const std::vector<std::pair<std::string, Value>>& pairs,
                         std::size_t count_max) {
    if (pairs.size() > count_max) {
        return Error{Errc::too_large,
                     std::string(what) + ": more than " + std::to_string(count_max) + " entries"};
    }
    const std::string* previous = nullptr;
    for (const auto& [name, value] : pairs) {
        if (name.empty()) {
            return Error{Errc::malformed, std::string(what) + ": a name is empty"};
        }
        TRY(check_text(what, name, limits::text_bytes_max));
        if (previous != nullptr && *previous >= name) {
            return Error{Errc::malformed,
                         std::string(what) + ": '" + name +
                             (*previous == name ? "' comes twice" : "' is not in order")};
        }
        previous = &name;
    }
    return {};
}

} // namespace ic::job
