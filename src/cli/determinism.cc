#include "cli/determinism.h"

#include <optional>

namespace ic::cli {
namespace {

std::string text_of(const job::Ending& ending) {
    if (ending.error) {
        return std::string(name(*ending.error));
    }
    return "exit status " + std::to_string(ending.exit_status);
}

std::string text_of(const std::optional<std::int64_t>& value) {
    return value ? std::to_string(*value) : "no value";
}

std::string text_of(const std::optional<Cid>& cid) { return cid ? cid->to_string() : "nothing"; }

/// "WHAT was ONE, then OTHER" where they differ.
template <class Value>
std::string differs(const char* what, const Value& one, const Value& other) {
    return text_of(one) == text_of(other)
               ? ""
               : std::string(what) + " was " + text_of(one) + ", then " + text_of(other);
}

} // namespace

bool is_of_the_guest(const job::Ending& ending) {
    return !ending.error || (!may_retry(*ending.error) && *ending.error != Errc::cancelled &&
                             *ending.error != Errc::total_timeout);
}

std::string difference(const worker::FinishedRun& one, const worker::FinishedRun& other) {
    std::string text = differs("the ending", one.ending, other.ending);
    text = !text.empty() ? text : differs("the value", one.ending.value, other.ending.value);
    text = !text.empty() ? text : differs("standard output", one.output, other.output);
    text = !text.empty() ? text : differs("standard error", one.errors, other.errors);
    return !text.empty() ? text : differs("the log", one.log, other.log);
}

Result<void> compare_runs(const worker::FinishedRun& first,
                          std::uint64_t runs,
                          const std::function<worker::FinishedRun()>& run_again,
                          const std::function<void(std::uint64_t compared)>& on_progress) {
    for (std::uint64_t number = 2; number <= runs; ++number) {
        const worker::FinishedRun run = run_again();
        if (!is_of_the_guest(run.ending)) {
            return Error{*run.ending.error,
                         "stopped after " + std::to_string(number - 1) +
                             " runs, all alike: " + run.ending.message};
        }
        if (const std::string text = difference(first, run); !text.empty()) {
            return Error{Errc::nondeterministic,
                         "run " + std::to_string(number) + " differs from the first: " + text +
                             "; is something left to time (a limit that it reaches), or is there a "
                             "fault of ours?"};
        }
        on_progress(number);
    }
    return {};
}

} // namespace ic::cli
