#include "cli/commands.h"
#include "cli/pin_commands.h"

#include <string>

namespace ic::cli {

void add_recursive_option(CLI::App& command, std::string& value, const std::string& help) {
    command.add_option("-r,--recursive", value, help)
        ->type_name("")
        ->expected(0, 1)
        ->default_str("true");
}

Result<bool> is_recursive(const std::string& value) {
    const std::string word = value.starts_with('=') ? value.substr(1) : value;
    if (word.empty() || word == "true") {
        return true;
    }
    if (word == "false") {
        return false;
    }
    return Error{Errc::usage, "--recursive is true or false, not '" + value + "'"};
}

void add_pin(CLI::App& app, Context& context) {
    CLI::App* command = app.add_subcommand("pin", "Say which content a collection must keep");
    add_pin_add(*command, context);
    add_pin_rm(*command, context);
    add_pin_ls(*command, context);
    add_pin_update(*command, context);
}

} // namespace ic::cli
