#include "wiring/doctor.h"

#include "base/text.h"
#include "cli/commands.h"
#include "config/home.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace ic::cli {
namespace {

using wiring::Check;
using wiring::Verdict;

std::string line_of(const Check& check) {
    const auto padded = [](std::string text, std::size_t columns) {
        text.resize(std::max(text.size() + 1, columns), ' ');
        return text;
    };
    std::string line = padded(std::string(name(check.verdict)), 6);
    line += padded(check.what, 11) + check.found;
    if (!check.remedy.empty()) {
        line += "; " + check.remedy;
    }
    return printable(line) + "\n";
}

nlohmann::json to_json(const std::vector<Check>& checks) {
    nlohmann::json all = nlohmann::json::array();
    for (const Check& check : checks) {
        all.push_back(
            {{"what", check.what},
             {"verdict", std::string(name(check.verdict))},
             {"found", check.found},
             {"remedy", check.remedy.empty() ? nlohmann::json() : nlohmann::json(check.remedy)},
             {"error",
              check.error ? nlohmann::json(std::string(name(*check.error))) : nlohmann::json()}});
    }
    const bool good = std::ranges::none_of(
        checks, [](const Check& check) { return check.verdict == Verdict::fail; });
    return {{"ok", good}, {"checks", all}};
}

/// A fault of ours is one; all else is something that is missing here now.
Errc code_of(const std::vector<Check>& checks) {
    const bool ours = std::ranges::any_of(
        checks, [](const Check& check) { return check.error == Errc::internal; });
    return ours ? Errc::internal : Errc::unavailable;
}

Result<int> examine(Context& context) {
    const std::string home = TRY(config::choose_home(context.home, config::process_environment));
    const std::vector<Check> checks =
        wiring::examine(home, config::process_environment, context.given_settings());
    if (context.json) {
        TRY(context.streams.print(to_json(checks).dump() + "\n"));
        context.json_tells_error = true;
    } else {
        for (const Check& check : checks) {
            TRY(context.streams.print(line_of(check)));
        }
    }
    TRY(context.streams.flush()); // Before the line about it.
    std::vector<std::string> failed;
    for (const Check& check : checks) {
        if (check.verdict == Verdict::fail) {
            failed.push_back(check.what);
        }
    }
    if (failed.empty()) {
        return 0;
    }
    std::string words;
    for (const std::string& word : failed) {
        words += (words.empty() ? "" : ", ") + word;
    }
    return Error{code_of(checks), "not in order: " + words + "; the lines above say what to do"};
}

} // namespace

void add_doctor(Command& app, Context& context) {
    Command* command =
        app.add_subcommand("doctor", "Look whether everything that jobs need is in order");
    command->footer(
        "Runs a module that does nothing in an executor of its own. A line a thing: ok, "
        "warn or\nfail, what was found, and what to type. The exit status is 0 unless "
        "something fails.\n\n"
        "Examples:\n  ipfs-compute doctor\n  ipfs-compute doctor --ipfs kubo\n  ipfs-compute "
        "doctor --json");
    context.add_json(*command);
    context.add_ipfs(*command);
    context.on_run(*command, [&context] { return examine(context); });
}

} // namespace ic::cli
