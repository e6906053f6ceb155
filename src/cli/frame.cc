#include "cli/frame.h"

#include "base/text.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ic::cli {
namespace {

/// The words after the program's name that were understood as commands, as one application.
const CLI::App& deepest(const CLI::App& app) {
    const CLI::App* at = &app;
    while (!at->get_subcommands().empty()) {
        at = at->get_subcommands().back();
    }
    return *at;
}

/// "add", "config show", or the program's own name.
std::string title_of(const CLI::App& app) {
    if (app.get_parent() == nullptr) {
        return app.get_name();
    }
    const CLI::App& parent = *app.get_parent();
    return parent.get_parent() == nullptr ? app.get_name()
                                          : title_of(parent) + " " + app.get_name();
}

std::vector<std::string> names_of_commands(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
        if (!sub->get_group().empty()) {
            names.push_back(sub->get_name());
        }
    }
    return names;
}

std::vector<std::string> names_of_options(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            names.push_back("--" + name);
        }
    }
    return names;
}

/// Where an option belongs that was given before the command, or before it could be known; empty if
/// no command has it. `word` is as it was typed, perhaps with a value.
std::string place_of_option(const CLI::App& app, const std::string& word) {
    const std::string name = word.substr(0, word.find('='));
    const CLI::App& command = deepest(app);
    const auto has = [&name](const CLI::App& one) {
        return std::ranges::count(names_of_options(one), name) > 0;
    };
    if (!command.get_subcommands([](const CLI::App*) { return true; }).empty()) {
        // One that not every command has says nothing about where this one belongs.
        const bool is_common = name == "--home" || name == "--set" || name == "--json";
        return is_common ? "'" + name + "' goes after the command: 'ipfs-compute COMMAND " + name +
                               " ...'"
                         : "";
    }
    return has(command) ? "'" + name + "' goes after the command: 'ipfs-compute " +
                              title_of(command) + " " + name + " ...'"
                        : "";
}

/// What is wrong with the command line, and what may have been meant.
Error usage_error(const CLI::App& app, const CLI::ParseError& thrown) {
    const CLI::App& command = deepest(app);
    const std::string title = title_of(command);
    const bool is_root = command.get_parent() == nullptr;
    const std::string help = "'" + std::string(is_root ? "" : "ipfs-compute ") + title + " --help'";
    const std::vector<std::string> remaining = app.remaining(true);
    const auto code = static_cast<CLI::ExitCodes>(thrown.get_exit_code());
    const bool unknown = code == CLI::ExitCodes::ExtrasError ||
                         (code == CLI::ExitCodes::RequiredError && !remaining.empty() &&
                          !names_of_commands(command).empty());
    if (code == CLI::ExitCodes::RequiredError && remaining.empty() &&
        !names_of_commands(command).empty()) {
        return {Errc::usage, "say what '" + title + "' is to do; see " + help};
    }
    if (!unknown || remaining.empty()) {
        return {Errc::usage, std::string(thrown.what()) + "; see " + help};
    }
    const std::string& word = remaining.front();
    const bool is_option = word.starts_with("-");
    if (const std::string place = is_option ? place_of_option(app, word) : ""; !place.empty()) {
        return {Errc::usage, place};
    }
    std::string message = is_option ? "unknown option '" : "unknown word '";
    message.append(word).append("' after '").append(title).append("'");
    const std::string meant =
        closest_word(word, is_option ? names_of_options(command) : names_of_commands(command));
    message.append(meant.empty() ? "; see " + help : "; did you mean '" + meant + "'?");
    return {Errc::usage, std::move(message)};
}

/// The library's help, without the empty lines that it doubles.
std::string help_of(const CLI::App& app) {
    std::string text = app.help();
    for (std::size_t at = text.find("\n\n\n"); at != std::string::npos;
         at = text.find("\n\n\n", at)) {
        text.erase(at, 1);
    }
    return text;
}

/// Every command that does something takes these.
void add_common_options(Command& command, Context& context) {
    for (Command* sub : command.subcommands()) {
        if (!sub->subcommands().empty()) {
            add_common_options(*sub, context);
            sub->require_subcommand(context.acts(sub) ? 0 : 1);
        }
        if (!context.acts(sub)) {
            continue;
        }
        sub->add_option("--home", context.home, "Folder of everything kept (IPFS_COMPUTE_PATH)")
            ->type_name("PATH")
            ->group("Common options");
        sub->add_option("--set", context.settings, "Set KEY=VALUE for this command")
            ->type_name("KEY=VALUE")
            ->expected(1)
            ->allow_extra_args(false)
            ->take_all()
            ->group("Common options");
    }
}

/// Moves what stands behind `--` to the context if the command takes it; how many words are left.
int split_guest_words(const Command& program,
                      Context& context,
                      int count,
                      const char* const* arguments) {
    const bool takes = std::ranges::any_of(program.subcommands(), [&](const Command* command) {
        return count > 1 && command->name() == arguments[1] && context.takes_guest_words(command);
    });
    if (!takes) {
        return count;
    }
    const char* const* const end = arguments + count;
    const char* const* const dashes = std::find(arguments, end, std::string_view("--"));
    if (dashes != end) {
        context.guest_words.assign(dashes + 1, end);
    }
    return static_cast<int>(dashes - arguments);
}

/// The long name of the flag (no option with a value) that `letter` stands for; else empty.
std::string long_name_of(const CLI::App& command, char letter) {
    for (const CLI::Option* option : command.get_options()) {
        if (option->check_sname(std::string(1, letter)) && option->get_items_expected_max() == 0 &&
            !option->get_lnames().empty()) {
            return option->get_lnames().front();
        }
    }
    return "";
}

/// The words of the command line, with `-r=false` as `--recursive=false`: Kubo takes both, CLI11
/// the second alone.
std::vector<std::string>
with_long_names(const CLI::App& app, int count, const char* const* arguments) {
    std::vector<std::string> words(arguments, arguments + count);
    const CLI::App* command = &app;
    for (std::string& word : words) {
        if (word.size() > 3 && word[0] == '-' && word[1] != '-' && word[2] == '=') {
            const std::string name = long_name_of(*command, word[1]);
            word = name.empty() ? word : "--" + name + word.substr(2);
            continue;
        }
        const auto named =
            command->get_subcommands([&](const CLI::App* sub) { return sub->get_name() == word; });
        command = named.empty() ? command : named.front();
    }
    return words;
}

Result<int>
parse_and_act(Command& program, Context& context, int count, const char* const* arguments) {
    count = split_guest_words(program, context, count, arguments);
    CLI::App& app = program.library();
    const std::vector<std::string> words = with_long_names(app, count, arguments);
    std::vector<const char*> pointers;
    for (const std::string& word : words) {
        pointers.push_back(word.c_str());
    }
    try {
        app.parse(count, pointers.data());
    } catch (const CLI::CallForHelp&) {
        TRY(context.streams.print(help_of(app)));
        return 0;
    } catch (const CLI::CallForVersion& version) {
        TRY(context.streams.print(std::string(version.what()) + "\n"));
        return 0;
    } catch (const CLI::ParseError& thrown) {
        context.json = context.json || std::ranges::count(words, "--json") > 0;
        return usage_error(app, thrown);
    }
    return context.chosen()();
}

/// The error as one object behind what was printed: whoever reads JSON reads no error lines.
/// It may not arrive, as what is wrong may be standard output itself.
void print_json(Context& context, const Error& error) {
    const nlohmann::json document{
        {"ok", false}, {"error", name(error.code)}, {"message", error.message}};
    Result<void> printed = context.streams.print(
        document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    static_cast<void>(printed && context.streams.flush());
}

} // namespace

int run(int count, const char* const* arguments, const AddCommands& add_commands) {
    Context context;
    Result<int> status = Error{Errc::internal, ""};
    try {
        Command program("Runs WebAssembly modules that live on IPFS.", "ipfs-compute");
        program.library().set_help_flag("-h,--help", "Print this help");
        program.library().get_formatter()->column_width(34);
        program.require_subcommand(1);
        add_commands(program, context);
        add_common_options(program, context);
        status = parse_and_act(program, context, count, arguments);
    } catch (const std::exception& thrown) { // Of libraries; ours return errors.
        status = Error{Errc::internal, thrown.what()};
    }
    const Result<void> flushed = context.streams.flush();
    if (status && !flushed) {
        status = flushed.error();
    }
    if (status) {
        return *status;
    }
    const Error& error = status.error();
    if (context.json && !context.json_tells_error && flushed) {
        print_json(context, error);
    }
    if (context.tell_last(error)) {
        return exit_status(error.code);
    }
    context.streams.note(
        context.streams.coloured("31", "ipfs-compute: " + std::string(name(error.code)) + ":") +
        " " + printable(error.message) + "\n");
    return exit_status(error.code);
}

} // namespace ic::cli
