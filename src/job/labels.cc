#include "job/labels.h"

#include "base/text.h"

#include <algorithm>

namespace ic::job {
namespace {

constexpr std::string_view operators_known =
    "; what there is: KEY=VALUE, KEY!=VALUE, KEY, !KEY, KEY in (A,B), KEY notin (A,B)";

bool is_letter_or_digit(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9');
}

bool is_within(char letter, std::string_view further) {
    return is_letter_or_digit(letter) || further.find(letter) != std::string_view::npos;
}

/// Begins and ends with a letter or digit; between them `further` too.
bool is_word(std::string_view text, std::string_view further) {
    return !text.empty() && is_letter_or_digit(text.front()) && is_letter_or_digit(text.back()) &&
           std::ranges::all_of(text, [&](char letter) { return is_within(letter, further); });
}

constexpr std::string_view further_in_key = "-_./";
constexpr std::string_view further_in_value = "-_.";

Result<void> check_key(std::string_view key) {
    if (key.size() > limits::label_key_bytes_max) {
        return Error{Errc::too_large,
                     "a label's key has at most " + std::to_string(limits::label_key_bytes_max) +
                         " bytes"};
    }
    if (!is_word(key, further_in_key)) {
        return Error{Errc::malformed,
                     "'" + printable(key) +
                         "' is no label's key: letters, digits, and - _ . / between them"};
    }
    return {};
}

Result<void> check_value(std::string_view value) {
    if (value.size() > limits::label_value_bytes_max) {
        return Error{Errc::too_large,
                     "a label's value has at most " +
                         std::to_string(limits::label_value_bytes_max) + " bytes"};
    }
    if (!value.empty() && !is_word(value, further_in_value)) {
        return Error{Errc::malformed,
                     "'" + printable(value) +
                         "' is no label's value: letters, digits, and - _ . between them"};
    }
    return {};
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(' ');
    return first == std::string_view::npos
               ? std::string_view{}
               : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::string listed(const std::vector<std::string>& values) {
    std::string text;
    for (const std::string& value : values) {
        text += (&value == &values.front() ? "" : ",") + value;
    }
    return text;
}

Error no_constraint(std::string_view text, std::string_view why) {
    return {Errc::malformed,
            "'" + printable(text) + "' is no constraint: " + std::string(why) +
                std::string(operators_known)};
}

/// The values between brackets, `(a, b)`.
Result<std::vector<std::string>> values_in(std::string_view whole, std::string_view text) {
    if (!text.starts_with('(') || !text.ends_with(')')) {
        return no_constraint(whole, "a list of values stands in ( )");
    }
    text = text.substr(1, text.size() - 2);
    std::vector<std::string> values;
    for (;;) {
        const std::size_t comma = text.find(',');
        values.emplace_back(trimmed(text.substr(0, comma)));
        if (values.size() > limits::constraint_values_max) {
            return Error{Errc::too_large,
                         "a constraint has at most " +
                             std::to_string(limits::constraint_values_max) + " values"};
        }
        if (comma == std::string_view::npos) {
            return values;
        }
        text.remove_prefix(comma + 1);
    }
}

/// `key in (..)` and `key notin (..)`, from the blank on.
Result<Constraint>
set_based(std::string_view whole, std::string_view key, std::string_view behind) {
    Constraint made{.key = std::string(key), .operation = LabelOperator::in, .values = {}};
    if (behind.starts_with("notin")) {
        made.operation = LabelOperator::not_in;
        behind.remove_prefix(5);
    } else if (behind.starts_with("in")) {
        behind.remove_prefix(2);
    } else {
        return no_constraint(whole, "what follows '" + printable(key) + "' is no operator");
    }
    made.values = TRY(values_in(whole, trimmed(behind)));
    return made;
}

/// As written, nothing checked but the operator.
Result<Constraint> take_apart(std::string_view text) {
    const std::size_t mark = text.find_first_of(" =!(", 1);
    if (text.starts_with('!')) {
        return Constraint{.key = std::string(trimmed(text.substr(1))),
                          .operation = LabelOperator::absent,
                          .values = {}};
    }
    if (text.empty() || mark == std::string_view::npos) {
        return Constraint{
            .key = std::string(text), .operation = LabelOperator::exists, .values = {}};
    }
    const std::string_view key = text.substr(0, mark);
    std::string_view behind = trimmed(text.substr(mark));
    Constraint made{.key = std::string(key), .operation = LabelOperator::in, .values = {}};
    if (behind.starts_with("!=")) {
        made.operation = LabelOperator::not_in;
        behind.remove_prefix(2);
    } else if (behind.starts_with("==")) {
        behind.remove_prefix(2);
    } else if (behind.starts_with("=")) {
        behind.remove_prefix(1);
    } else {
        return set_based(text, key, behind);
    }
    made.values.emplace_back(trimmed(behind));
    return made;
}

const std::string* value_of(const WorkerLabels& labels, std::string_view key) {
    const auto at = std::ranges::find(labels, key, &std::pair<std::string, std::string>::first);
    return at == labels.end() ? nullptr : &at->second;
}

} // namespace

Result<void> check_worker_labels(const WorkerLabels& labels) {
    if (labels.size() > limits::worker_labels_max) {
        return Error{Errc::too_large,
                     "a worker has at most " + std::to_string(limits::worker_labels_max) +
                         " labels"};
    }
    std::size_t bytes = 0;
    const std::string* previous = nullptr;
    for (const auto& [key, value] : labels) {
        TRY(check_key(key));
        TRY(check_value(value));
        if (previous != nullptr && *previous >= key) {
            return Error{Errc::malformed, "label '" + key + "' comes twice or is not in order"};
        }
        previous = &key;
        bytes += key.size() + value.size();
    }
    if (bytes > limits::worker_labels_bytes_max) {
        return Error{Errc::too_large,
                     "a worker's labels have at most " +
                         std::to_string(limits::worker_labels_bytes_max) + " bytes together"};
    }
    return {};
}

Result<WorkerLabels> parse_worker_labels(std::span<const std::string> words) {
    WorkerLabels labels;
    for (const std::string& word : words) {
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos) {
            return Error{Errc::usage, "label '" + printable(word) + "' has to be KEY=VALUE"};
        }
        labels.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
    std::ranges::sort(labels);
    const auto twice = std::ranges::adjacent_find(
        labels, [](const auto& left, const auto& right) { return left.first == right.first; });
    if (twice != labels.end()) {
        return Error{Errc::usage, "label '" + printable(twice->first) + "' is given twice"};
    }
    TRY(check_worker_labels(labels));
    return labels;
}

std::string to_string(const WorkerLabels& labels) {
    std::string text;
    for (const auto& [key, value] : labels) {
        text.append(text.empty() ? "" : " ").append(key).append("=").append(value);
    }
    return text.empty() ? "no labels" : text;
}

std::string to_string(const Constraint& constraint) {
    const bool is_one = constraint.values.size() == 1;
    switch (constraint.operation) {
    case LabelOperator::exists:
        return constraint.key;
    case LabelOperator::absent:
        return "!" + constraint.key;
    case LabelOperator::in:
        return constraint.key + (is_one ? "=" + constraint.values.front()
                                        : " in (" + listed(constraint.values) + ")");
    case LabelOperator::not_in:
        return constraint.key + (is_one ? "!=" + constraint.values.front()
                                        : " notin (" + listed(constraint.values) + ")");
    }
    return {};
}

Result<Constraint> parse_constraint(std::string_view text) {
    const std::string_view whole = trimmed(text);
    Constraint constraint = TRY(take_apart(whole));
    if (const Result<void> fine = check_key(constraint.key); !fine) {
        return fine.error().code == Errc::too_large ? fine.error()
                                                    : no_constraint(whole, fine.error().message);
    }
    for (const std::string& value : constraint.values) {
        if (const Result<void> fine = check_value(value); !fine) {
            return fine.error().code == Errc::too_large
                       ? fine.error()
                       : no_constraint(whole, fine.error().message);
        }
    }
    std::ranges::sort(constraint.values);
    const auto repeated = std::ranges::unique(constraint.values);
    constraint.values.erase(repeated.begin(), repeated.end());
    return constraint;
}

Result<std::vector<Constraint>> parse_constraints(std::string_view text) {
    std::vector<std::pair<std::string, Constraint>> read;
    while (true) {
        // A comma within brackets stands between values.
        std::size_t end = 0;
        for (bool within = false; end < text.size() && (within || text[end] != ','); ++end) {
            within = text[end] == '(' || (within && text[end] != ')');
        }
        Constraint constraint = TRY(parse_constraint(text.substr(0, end)));
        std::string written = to_string(constraint);
        read.emplace_back(std::move(written), std::move(constraint));
        if (read.size() > limits::constraints_max) {
            return Error{Errc::too_large,
                         "a job has at most " + std::to_string(limits::constraints_max) +
                             " constraints"};
        }
        if (end == text.size()) {
            break;
        }
        text.remove_prefix(end + 1);
    }
    std::ranges::sort(read, {}, [](const auto& each) -> const auto& { return each.first; });
    std::vector<Constraint> constraints;
    for (auto& [written, constraint] : read) {
        if (constraints.empty() || constraints.back() != constraint) {
            constraints.push_back(std::move(constraint));
        }
    }
    return constraints;
}

Result<void> check_constraints(const std::vector<Constraint>& constraints) {
    if (constraints.size() > limits::constraints_max) {
        return Error{Errc::too_large,
                     "constraints: more than " + std::to_string(limits::constraints_max) +
                         " entries"};
    }
    std::string previous;
    for (const Constraint& constraint : constraints) {
        const std::string text = to_string(constraint);
        const Result<Constraint> read = parse_constraint(text);
        if (!read) {
            return Error(read.error()).during("constraints");
        }
        if (*read != constraint) {
            return Error{Errc::malformed, "constraints: '" + printable(text) + "' is not in order"};
        }
        if (previous >= text) {
            return Error{Errc::malformed,
                         "constraints: '" + text +
                             (previous == text ? "' comes twice" : "' is not in order")};
        }
        previous = text;
    }
    return {};
}

std::string to_string(std::span<const Constraint> constraints) {
    std::string text;
    for (const Constraint& constraint : constraints) {
        text += (text.empty() ? "" : ", ") + to_string(constraint);
    }
    return text;
}

bool holds(const Constraint& constraint, const WorkerLabels& labels) {
    const std::string* value = value_of(labels, constraint.key);
    const auto is_listed = [&] { return std::ranges::count(constraint.values, *value) > 0; };
    switch (constraint.operation) {
    case LabelOperator::exists:
        return value != nullptr;
    case LabelOperator::absent:
        return value == nullptr;
    case LabelOperator::in:
        return value != nullptr && is_listed();
    case LabelOperator::not_in:
        return value == nullptr || !is_listed();
    }
    return false;
}

Result<void> fits(std::span<const Constraint> constraints, const WorkerLabels& labels) {
    for (const Constraint& constraint : constraints) {
        if (!holds(constraint, labels)) {
            return Error{Errc::refused,
                         "constraint: the job asks for " + to_string(constraint) +
                             ", this worker has " + to_string(labels) + "; " +
                             remedy_for(constraint)};
        }
    }
    return {};
}

std::string remedy_for(const Constraint& constraint) {
    switch (constraint.operation) {
    case LabelOperator::exists:
        return "start a worker with --label " + constraint.key + "=VALUE";
    case LabelOperator::in:
        return "start a worker with --label " + constraint.key + "=" + constraint.values.front();
    case LabelOperator::absent:
        return "start a worker without the label " + constraint.key;
    case LabelOperator::not_in:
        return "start a worker whose label " + constraint.key + " is none of " +
               listed(constraint.values);
    }
    return {};
}

} // namespace ic::job
