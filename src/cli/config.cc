#include "base/text.h"
#include "cli/commands.h"
#include "config/edit.h"

#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace ic::cli {
namespace {

Result<int> show(Context& context) {
    const config::LoadedSettings* loaded = TRY(context.load_settings());
    std::size_t width = 0;
    for (const config::EffectiveSetting& setting : loaded->effective) {
        width = std::max(width, setting.key.size() + setting.value.size());
    }
    for (const config::EffectiveSetting& setting : loaded->effective) {
        if (context.json) {
            const nlohmann::json json{
                {"key", setting.key}, {"value", setting.value}, {"source", setting.source}};
            TRY(context.streams.print(
                json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"));
            continue;
        }
        const std::size_t fill = width - setting.key.size() - setting.value.size() + 2;
        TRY(context.streams.print(setting.key + " = " + printable(setting.value) +
                                  std::string(fill, ' ') + "# " + printable(setting.source) +
                                  "\n"));
    }
    return 0;
}

/// As one word of a shell.
std::string shell_quoted(const std::string& text) {
    std::string quoted = "'";
    for (const char letter : text) {
        quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
    }
    return quoted + "'";
}

std::string chosen_editor() {
    for (const char* const variable : {"VISUAL", "EDITOR"}) {
        if (std::string editor = config::process_environment(variable); !editor.empty()) {
            return editor;
        }
    }
    return "vi";
}

/// Waits for its end. The variables hold a line of shell: an editor with its flags.
Result<void> run_editor(const std::string& editor, const std::string& file) {
    // Ctrl-C is the editor's meanwhile: system(3).
    const int status = std::system((editor + " " + shell_quoted(file)).c_str());
    if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return {};
    }
    const std::string how = status != -1 && WIFEXITED(status)
                                ? "ended with status " + std::to_string(WEXITSTATUS(status))
                                : "did not end by itself";
    return Error{Errc::unavailable,
                 "the editor '" + editor + "' " + how +
                     ", so nothing was changed; VISUAL or EDITOR names another one"};
}

Result<int> edit(Context& context) {
    const config::Home home = *TRY(context.open_home());
    const std::string before = TRY(config::read_config(home));
    const std::string draft = TRY(config::make_draft(home, before));
    if (Result<void> edited = run_editor(chosen_editor(), draft); !edited) {
        Error error = std::move(edited).take_error();
        if (!config::drop_draft(draft, before)) {
            error.message += "; what you wrote is kept in " + draft;
        }
        return error;
    }
    if (!TRY(config::take_draft(home, draft, before))) {
        context.streams.note("nothing was changed\n");
    }
    return 0;
}

/// The keys and what they mean, for the help.
std::string list_of_settings() {
    std::string text = "Settings:\n";
    for (const config::Setting& setting : config::all_settings()) {
        text.append("  ").append(setting.key).append("\n      ").append(setting.help).append("\n");
    }
    return text;
}

} // namespace

void add_config(Command& app, Context& context) {
    Command* command = app.add_subcommand("config", "Show and change settings");
    Command* show_command =
        command->add_subcommand("show", "Print every setting in force and where it comes from");
    context.add_json(*show_command);
    show_command->footer(
        "Examples:\n  ipfs-compute config show\n  ipfs-compute config show --json");
    context.on_run(*show_command, [&context] { return show(context); });

    Command* edit_command =
        command->add_subcommand("edit", "Change config.toml with $VISUAL, $EDITOR or vi");
    edit_command->footer("What would not be read is not put in place: it is kept beside, and the "
                         "message says where.\n\n"
                         "Examples:\n  ipfs-compute config edit\n"
                         "  EDITOR=nano ipfs-compute config edit");
    context.on_run(*edit_command, [&context] { return edit(context); });

    struct Options {
        std::string key, value;
    };
    Command* set_command = command->add_subcommand("set", "Change one setting in config.toml");
    auto options = std::make_shared<Options>(); // Kept by the action.
    set_command->add_option("KEY", options->key)->required();
    set_command->add_option("VALUE", options->value)->required();
    set_command->footer(list_of_settings() +
                        "\nExamples:\n  ipfs-compute config set kubo off\n"
                        "  ipfs-compute config set import.profile unixfs-v0-2015");
    context.on_run(*set_command, [&context, options]() -> Result<int> {
        TRY(config::store_setting(*TRY(context.open_home()), options->key, options->value));
        return 0;
    });
}

} // namespace ic::cli
