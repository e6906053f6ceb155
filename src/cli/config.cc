#include "base/text.h"
#include "cli/commands.h"

#include <nlohmann/json.hpp>

#include <algorithm>
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
