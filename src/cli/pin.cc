#include "base/file.h"
#include "cli/commands.h"
#include "cli/pin_commands.h"

#include <iostream>
#include <istream>
#include <string>
#include <vector>

namespace ic::cli {

Result<std::vector<std::string>> words_or_input(const std::vector<std::string>& words) {
    if (!words.empty()) {
        return words;
    }
    std::vector<std::string> lines;
    for (std::string line; std::getline(std::cin, line);) {
        if (!line.empty() && line.back() == '\r') {
            line.pop_back();
        }
        if (!line.empty()) {
            lines.push_back(std::move(line));
        }
    }
    if (lines.empty()) {
        return Error{Errc::usage, "say which content: a CID or a path"};
    }
    return lines;
}

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
