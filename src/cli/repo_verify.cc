#include "base/quantity.h"
#include "base/text.h"
#include "cli/pin_commands.h"
#include "wiring/verification.h"

#include <nlohmann/json.hpp>

#include <memory>

namespace ic::cli {
namespace {

using wiring::Finding;
using wiring::Repair;

struct RepoVerifyOptions {
    bool drop = false;
    bool heal = false;
    std::string heal_timeout;
};

std::string_view name(Finding::Fate fate) {
    switch (fate) {
    case Finding::Fate::left:
        return "left";
    case Finding::Fate::removed:
        return "removed";
    case Finding::Fate::not_removed:
        return "not-removed";
    case Finding::Fate::healed:
        return "healed";
    case Finding::Fate::not_healed:
        return "not-healed";
    }
    return "";
}

std::string_view name(Finding::Subject subject) {
    switch (subject) {
    case Finding::Subject::block:
        return "block";
    case Finding::Subject::pin:
        return "pin";
    case Finding::Subject::range:
        return "range";
    case Finding::Subject::segment:
        return "segment";
    }
    return "";
}

/// As `ipfs repo verify` words it.
std::string line_of(const Finding& finding) {
    std::string text = std::string(name(finding.subject)) + " " + finding.name + " was corrupt";
    if (finding.subject == Finding::Subject::range) {
        text = "blocks from " + finding.name + " on could not be read";
    } else if (finding.subject == Finding::Subject::segment) {
        text = "segment " + finding.name + " is in no table";
    }
    text += " (" + finding.what + ")";
    switch (finding.fate) {
    case Finding::Fate::left:
        break;
    case Finding::Fate::removed:
        text += ", removed";
        break;
    case Finding::Fate::not_removed:
        text += ", failed to remove (" + finding.more + ")";
        break;
    case Finding::Fate::healed:
        text +=
            finding.subject == Finding::Subject::segment ? ", taken in again" : ", removed, healed";
        break;
    case Finding::Fate::not_healed:
        text += ", removed, failed to heal (" + finding.more + ")";
        break;
    }
    return printable(text) + "\n";
}

std::string summary_of(const wiring::Verified& verified) {
    std::string text = "verify complete, " + std::to_string(verified.damaged) + " blocks corrupt";
    const auto add = [&text](std::uint64_t count, const char* what) {
        text += count == 0 ? "" : ", " + std::to_string(count) + what;
    };
    add(verified.removed, " removed");
    add(verified.not_removed, " failed to remove");
    add(verified.healed, " healed");
    add(verified.not_healed, " failed to heal");
    return text;
}

Result<void> print_finding(Context& context, const Finding& finding) {
    if (!context.json) {
        return context.streams.print(line_of(finding));
    }
    const nlohmann::json json{
        {"subject", name(finding.subject)},
        {"name", finding.name},
        {"damage", finding.what},
        {"fate", name(finding.fate)},
        {"message", finding.more.empty() ? nlohmann::json() : nlohmann::json(finding.more)}};
    return context.streams.print(
        json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

Result<int> repo_verify(Context& context, const RepoVerifyOptions& options) {
    const config::Home& home = *TRY(context.open_home());
    config::Settings settings = TRY(context.load_settings())->values;
    if (!options.heal_timeout.empty()) {
        settings.kubo_timeout_ms =
            static_cast<std::uint64_t>(TRY(parse_duration(options.heal_timeout)).count());
    }
    const Repair repair = options.heal   ? (settings.kubo == "off" ? Repair::local : Repair::heal)
                          : options.drop ? Repair::drop
                                         : Repair::none;
    const bool draws = context.streams.err_is_terminal() && !context.json;
    const wiring::Verified verified = TRY(wiring::verify_store(
        home,
        settings,
        {.repair = repair,
         .on_finding = [&](const Finding& finding) { return print_finding(context, finding); },
         .on_progress =
             [&](std::uint64_t blocks) {
                 if (draws) {
                     context.streams.note(std::to_string(blocks) + " blocks processed.\r");
                 }
             }}));
    if (context.json) {
        TRY(context.streams.print(nlohmann::json{{"blocks", verified.blocks},
                                                 {"damaged", verified.damaged},
                                                 {"removed", verified.removed},
                                                 {"not_removed", verified.not_removed},
                                                 {"healed", verified.healed},
                                                 {"not_healed", verified.not_healed}}
                                      .dump() +
                                  "\n"));
        context.json_tells_error = true;
    }
    // As Kubo: what was found and dealt with is no failure.
    const bool failed = repair == Repair::none ? verified.damaged != 0
                                               : verified.not_removed + verified.not_healed != 0 ||
                                                     verified.removed != verified.damaged;
    if (failed) {
        TRY(context.streams.flush());
        return Error{Errc::hash_mismatch,
                     summary_of(verified) + (repair == Repair::none
                                                 ? "; --repair removes them and fetches them again"
                                                 : "")};
    }
    if (!context.json) {
        TRY(context.streams.print(verified.damaged == 0 ? "verify complete, all blocks validated.\n"
                                                        : summary_of(verified) + "\n"));
    }
    return 0;
}

} // namespace

void add_repo_verify(Command& repo, Context& context) {
    Command* command = repo.add_subcommand("verify", "Hash every block and read every pin");
    auto options = std::make_shared<RepoVerifyOptions>(); // Kept by the action.
    command->add_flag("--drop", options->drop, "Remove what is damaged");
    command->add_flag(
        "--heal,--repair",
        options->heal,
        "Remove what is damaged, fetch it again from where blocks are fetched, and take "
        "in again what no table names");
    command->add_option("--heal-timeout", options->heal_timeout, "How long one may be looked for")
        ->type_name("DURATION");
    context.add_json(*command);
    command->footer(
        "Reads in a process of its own, which damaged tables may kill: that is said and\n"
        "another one goes on behind it. The exit status is 0 if all is well, or if all\n"
        "that was not is removed (--drop) or healed (--repair).\n\n"
        "Examples:\n  ipfs-compute repo verify\n  ipfs-compute repo verify --repair");
    context.on_run(*command, [&context, options] { return repo_verify(context, *options); });
}

} // namespace ic::cli
