#pragma once
/// What a worker says of itself (`region=eu`), and what a job asks of the worker that runs it
/// (`region=eu`, `gpu`, `!spot`, `zone in (a,b)`). The operators are those of Kubernetes' label
/// selectors. Syntax: docs/formats/job.md, "What a job asks of its worker".

#include "base/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ic::job {

namespace limits {
/// Ours: of one worker, of one job.
inline constexpr std::size_t worker_labels_max = 32;
inline constexpr std::size_t constraints_max = 32;
inline constexpr std::size_t constraint_values_max = 16; ///< In one list of values.
/// Ours: all keys and values of one worker together, since they travel in every advert.
inline constexpr std::size_t worker_labels_bytes_max = 2'048;
inline constexpr std::size_t label_key_bytes_max = 128; ///< Ours; Kubernetes has 317.
/// Source: Kubernetes, "Labels and Selectors", syntax and character set.
inline constexpr std::size_t label_value_bytes_max = 63;
} // namespace limits

/// Of a worker: sorted by key, each key once.
using WorkerLabels = std::vector<std::pair<std::string, std::string>>;

/// Whether a worker may bear them. Errors: malformed (a letter that is not allowed, a key twice or
/// out of order), too_large.
Result<void> check_worker_labels(const WorkerLabels& labels);

/// Of words KEY=VALUE. Errors: usage for a key twice or a word without `=`; as
/// `check_worker_labels`.
Result<WorkerLabels> parse_worker_labels(std::span<const std::string> words);

/// "gpu=a100 region=eu"; "no labels" of none.
std::string to_string(const WorkerLabels& labels);

enum class LabelOperator : std::uint8_t {
    exists, ///< `key`
    absent, ///< `!key`
    in,     ///< `key=a`, `key in (a,b)`
    not_in, ///< `key!=a`, `key notin (a,b)`; true of a worker without the key too.
};

/// One thing that a job asks. The values are sorted, each once; empty but for `in` and `not_in`.
struct Constraint {
    std::string key;
    LabelOperator operation = LabelOperator::exists;
    std::vector<std::string> values;

    friend auto operator<=>(const Constraint&, const Constraint&) = default;
};

/// The one way in which a document writes it. Inverse: `parse_constraint`.
std::string to_string(const Constraint& constraint);

/// Reads one, with blanks where people put them, and `==` for `=`.
/// Errors: malformed, too_large; the message shows what was read and the operators that there are.
Result<Constraint> parse_constraint(std::string_view text);

/// Reads several with commas between them; sorted, each once. Errors: as `parse_constraint`.
Result<std::vector<Constraint>> parse_constraints(std::string_view text);

/// Whether these can stand in a job: sorted by their text, each once.
/// Errors: malformed, too_large.
Result<void> check_constraints(const std::vector<Constraint>& constraints);

/// "region=eu, !spot".
std::string to_string(std::span<const Constraint> constraints);

bool holds(const Constraint& constraint, const WorkerLabels& labels);

/// Whether a worker with these labels may run a job that asks for this.
/// Errors: refused, naming the first constraint that does not hold, what the worker has, and the
/// remedy.
Result<void> fits(std::span<const Constraint> constraints, const WorkerLabels& labels);

/// How to get a worker that fits: "start a worker with --label region=eu".
std::string remedy_for(const Constraint& constraint);

} // namespace ic::job
