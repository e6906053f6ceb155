#include "base/file.h"
#include "cli/commands.h"

#include <memory>
#include <string_view>

namespace ic::cli {
namespace {

/// Text as roff: no letter of it is a request or an escape.
std::string escaped(std::string_view text) {
    std::string out;
    bool at_line_start = true;
    for (const char letter : text) {
        if (at_line_start && (letter == '.' || letter == '\'')) {
            out += "\\&";
        }
        at_line_start = letter == '\n';
        out += letter == '\\'  ? "\\e"
               : letter == '-' ? "\\-"
               : letter == '~' ? "\\(ti"
               : letter == '^' ? "\\(ha"
               : letter == '`' ? "\\(ga"
                               : std::string(1, letter);
    }
    return out;
}

/// "ipfs-compute-submit"; that of the program for the program.
std::string page_name(const Command& command, const Command& program) {
    return &command == &program ? program.name() : program.name() + "-" + command.name();
}

/// Every command has it.
constexpr std::string_view help_option = ".TP\n\\fB\\-h,\\-\\-help\\fR\nPrint this help\n";

void append_options(std::string& page, const Command& command) {
    for (const Option* option : command.options()) {
        if (option->group_title().empty()) {
            continue; // Hidden.
        }
        page += ".TP\n\\fB" + escaped(option->names()) + "\\fR";
        const std::string value = option->value_name(); // "TEXT:{rust,c}" of a few words.
        if (option->is_flagged() && !value.empty()) {
            page += " \\fI" + escaped(value.substr(0, value.find(':'))) + "\\fR";
        }
        std::string help = option->help();
        std::string words;
        for (const std::string& word : option->words()) {
            words += (words.empty() ? "One of: " : ", ") + word;
        }
        help += (help.empty() || words.empty() ? "" : ". ") + words;
        page += "\n" + (help.empty() ? std::string("\\&") : escaped(help)) + "\n";
    }
}

/// `ipfs-compute dag get [OPTIONS] PATH`.
std::string synopsis(const std::string& path, const Command& command) {
    std::string line = ".B " + escaped(path) + "\n";
    bool has_flags = false;
    std::string words;
    for (const Option* option : command.options()) {
        if (option->is_flagged()) {
            has_flags = has_flags || !option->group_title().empty();
        } else if (!option->group_title().empty()) {
            const std::string name = "\\fI" + escaped(option->names()) + "\\fR";
            words += " " + (option->is_required() ? name : "[" + name + "]");
        }
    }
    line += has_flags ? "[\\fIOPTIONS\\fR]" : "";
    line += words;
    return line.ends_with('\n') ? line : line + "\n";
}

/// What stands behind the options in the help: lines as they are.
void append_footer(std::string& page, const Command& command, std::string_view section) {
    const std::string footer = command.footer_text();
    if (footer.empty()) {
        return;
    }
    page.append(section);
    page += ".nf\n" + escaped(footer);
    page += footer.ends_with('\n') ? ".fi\n" : "\n.fi\n";
}

void append_subcommands(std::string& page, const Command& command, const std::string& path) {
    for (const Command* sub : command.subcommands()) {
        if (sub->is_hidden()) {
            continue;
        }
        const std::string sub_path = path + " " + sub->name();
        page += ".SS " + escaped(sub->name()) + "\n" + synopsis(sub_path, *sub);
        page += ".PP\n" + escaped(sub->description()) + ".\n";
        append_options(page, *sub);
        page += help_option;
        append_footer(page, *sub, ".PP\n");
        append_subcommands(page, *sub, sub_path);
    }
}

void append_list(std::string& page, const Command& program) {
    page += ".SH COMMANDS\nEach has a page of its own.\n";
    for (const Command* command : program.subcommands()) {
        if (!command->is_hidden()) {
            page += ".TP\n.BR " + escaped(page_name(*command, program)) + " (1)\n" +
                    escaped(command->description()) + ".\n";
        }
    }
}

/// Format: man(7).
std::string page_of(const Command& command, const Command& program) {
    const bool is_program = &command == &program;
    const std::string path = is_program ? program.name() : program.name() + " " + command.name();
    std::string description = command.description();
    if (description.ends_with('.')) {
        description.pop_back();
    }
    std::string page = ".TH " + escaped(page_name(command, program)) +
                       " 1 \"\" \"ipfs\\-compute " IC_VERSION "\" \"ipfs\\-compute\"\n";
    page += ".SH NAME\n" + escaped(page_name(command, program)) + " \\- " + escaped(description) +
            "\n.SH SYNOPSIS\n";
    page += is_program                      ? ".B ipfs\\-compute\n\\fICOMMAND\\fR ...\n"
            : command.subcommands().empty() ? synopsis(path, command)
                                            : ".B " + escaped(path) + "\n\\fICOMMAND\\fR ...\n";
    page += ".SH DESCRIPTION\n" + escaped(description) + ".\n";
    if (is_program) {
        append_list(page, program);
    } else if (!command.subcommands().empty()) {
        page += ".SH COMMANDS\n";
        append_subcommands(page, command, path);
    }
    page += ".SH OPTIONS\n";
    append_options(page, command);
    page += help_option;
    page += is_program ? ".TP\n\\fB\\-\\-version\\fR\nPrint the version\n" : "";
    append_footer(page, command, ".SH NOTES\n");
    page +=
        ".SH EXIT STATUS\n0, or the guest's own status (0 to 119) where one ran; 120 to 127 with "
        "one line on standard error that names the cause.\n"
        ".SH ENVIRONMENT\n.TP\n.B IPFS_COMPUTE_PATH\nThe folder of everything kept; else "
        ".ipfs\\-compute in the home folder.\n"
        ".TP\n.B IPFS_COMPUTE_*\nSettings, as in config.toml: IPFS_COMPUTE_KUBO and others.\n";
    page += is_program ? "" : ".SH SEE ALSO\n.BR ipfs\\-compute (1)\n";
    return page;
}

Result<int> print_page(Context& context, const Command& program, const std::string& name) {
    if (name.empty()) {
        TRY(context.streams.print(page_of(program, program)));
        return 0;
    }
    for (const Command* command : program.subcommands()) {
        if (command->name() == name && !command->is_hidden()) {
            TRY(context.streams.print(page_of(*command, program)));
            return 0;
        }
    }
    return Error{Errc::usage,
                 "there is no command '" + name + "'; 'ipfs-compute --help' lists them"};
}

Result<int> write_pages(const Command& program, const std::string& folder) {
    TRY(make_folders(folder, 0755));
    const auto write = [&](const Command& command) {
        return write_file(folder + "/" + page_name(command, program) + ".1",
                          bytes_of(page_of(command, program)),
                          0644,
                          IfExists::replace);
    };
    TRY(write(program));
    for (const Command* command : program.subcommands()) {
        if (!command->is_hidden()) {
            TRY(write(*command));
        }
    }
    return 0;
}

} // namespace

void add_man(Command& app, Context& context) {
    struct Options {
        std::string name, folder;
    };
    Command* command = app.add_subcommand("man", "Print the manual page of a command");
    auto options = std::make_shared<Options>(); // Kept by the action.
    command->add_option("COMMAND", options->name, "Nothing: the page of the program");
    command->add_option("--folder", options->folder, "Write all pages into this folder instead")
        ->type_name("PATH");
    command->footer("Examples:\n  ipfs-compute man submit | man -l -\n"
                    "  ipfs-compute man --folder ~/.local/share/man/man1");
    context.on_run(*command, [&context, &app, options]() -> Result<int> {
        if (options->folder.empty()) {
            return print_page(context, app, options->name);
        }
        if (!options->name.empty()) {
            return Error{Errc::usage, "--folder writes all pages: leave the command's name out"};
        }
        return write_pages(app, options->folder);
    });
}

} // namespace ic::cli
