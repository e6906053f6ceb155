#include "cli/commands.h"

#include <memory>
#include <utility>

namespace ic::cli {
namespace {

/// A command with the words that may follow it.
struct Node {
    std::string path; ///< "config show"; empty for the program.
    std::string help;
    std::vector<std::string> commands;
    std::vector<std::string> options;
    std::vector<std::pair<std::string, std::string>> values; ///< {"--lang", "rust c"}.
};

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : " ") + word;
    }
    return text;
}

void collect(const Command& command, const std::string& path, std::vector<Node>& nodes) {
    Node node{.path = path,
              .help = command.description(),
              .commands = {},
              .options = command.flags(),
              .values = {}};
    for (const Option* option : command.options()) {
        if (!option->words().empty()) {
            node.values.emplace_back(option->name(), joined(option->words()));
        }
    }
    std::vector<const Command*> subs;
    for (const Command* sub : command.subcommands()) {
        if (!sub->is_hidden()) {
            subs.push_back(sub);
            node.commands.push_back(sub->name());
        }
    }
    nodes.push_back(node);
    for (const Command* sub : subs) {
        collect(*sub, path.empty() ? sub->name() : path + " " + sub->name(), nodes);
    }
}

/// One `case` that sets `offered` for each command path; understood by bash and zsh, to which
/// `path` and `words` mean something else.
std::string cases(const std::vector<Node>& nodes) {
    std::string text;
    for (const Node& node : nodes) {
        text += "        '" + node.path + "') offered='" + joined(node.commands) +
                (node.commands.empty() || node.options.empty() ? "" : " ") + joined(node.options) +
                "';;\n";
    }
    return text;
}

/// The same for what follows an option that takes one of a few values.
std::string value_cases(const std::vector<Node>& nodes) {
    std::string text;
    for (const Node& node : nodes) {
        for (const auto& [option, values] : node.values) {
            text.append("        '").append(node.path).append(" ").append(option);
            text.append("') offered='").append(values).append("';;\n");
        }
    }
    return text;
}

std::string bash_script(const std::vector<Node>& nodes) {
    return "# bash completion for ipfs-compute; load: source <(ipfs-compute completion bash)\n"
           "_ipfs_compute() {\n"
           "    local at='' word offered='' i\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        word=${COMP_WORDS[i]}\n"
           "        [[ $word == -* ]] && continue\n"
           "        case \" $known \" in *\" ${at:+$at.}$word \"*) at=\"${at:+$at }$word\";; esac\n"
           "    done\n"
           "    case \"$at\" in\n" +
           cases(nodes) +
           "    esac\n"
           "    case \"$at ${COMP_WORDS[COMP_CWORD-1]}\" in\n" +
           value_cases(nodes) +
           "    esac\n"
           "    COMPREPLY=($(compgen -W \"$offered\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
           "    [[ ${#COMPREPLY[@]} -gt 0 || ${COMP_WORDS[COMP_CWORD]} == -* ]] ||\n"
           "        COMPREPLY=($(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
           "}\n"
           "complete -o filenames -F _ipfs_compute ipfs-compute\n";
}

/// "config.show" for each command path: what may continue a path.
std::string known_paths(const std::vector<Node>& nodes) {
    std::string text;
    for (const Node& node : nodes) {
        std::string path = node.path;
        for (char& letter : path) {
            letter = letter == ' ' ? '.' : letter;
        }
        text += path.empty() ? "" : (text.empty() ? "" : " ") + path;
    }
    return text;
}

std::string with_known_paths(std::string script, const std::vector<Node>& nodes) {
    const std::string local = "local at='' word offered='' i\n";
    return script.replace(
        script.find(local), local.size(), local + "    local known='" + known_paths(nodes) + "'\n");
}

std::string fish_quoted(const std::string& text) {
    std::string out = "'";
    for (const char letter : text) {
        out += letter == '\'' || letter == '\\' ? std::string{'\\', letter} : std::string{letter};
    }
    return out + "'";
}

/// The words before the last one of a path, and that one.
std::pair<std::string, std::string> split_path(const std::string& path) {
    const std::size_t space = path.rfind(' ');
    return space == std::string::npos ? std::pair{std::string(), path}
                                      : std::pair{path.substr(0, space), path.substr(space + 1)};
}

/// Whether fish is within this command. Commands of one name within different ones (`get`, `dag
/// get`) are told apart by what else stands on the line.
std::string fish_within(const std::vector<Node>& nodes, const std::string& path) {
    if (path.empty()) {
        return "__fish_use_subcommand";
    }
    const auto& [parent, name] = split_path(path);
    if (!parent.empty()) {
        return "__fish_seen_subcommand_from " + parent + "; and __fish_seen_subcommand_from " +
               name;
    }
    std::string others;
    for (const Node& node : nodes) {
        const auto& [other_parent, other_name] = split_path(node.path);
        others += !other_parent.empty() && other_name == name ? " " + other_parent : "";
    }
    return "__fish_seen_subcommand_from " + name +
           (others.empty() ? "" : "; and not __fish_seen_subcommand_from" + others);
}

std::string fish_script(const std::vector<Node>& nodes) {
    std::string text =
        "# fish completion for ipfs-compute; load: ipfs-compute completion fish | source\n";
    for (const Node& node : nodes) {
        const std::string within = fish_within(nodes, node.path);
        const std::string begin = "complete -c ipfs-compute -n " + fish_quoted(within);
        if (!node.path.empty()) {
            const auto& [parent, name] = split_path(node.path);
            text += "complete -c ipfs-compute -n " + fish_quoted(fish_within(nodes, parent)) +
                    " -a " + fish_quoted(name) + " -d " + fish_quoted(node.help) + "\n";
        }
        for (const std::string& option : node.options) {
            const bool is_long = option.starts_with("--");
            text += begin + (is_long ? " -l " : " -s ") + option.substr(is_long ? 2 : 1) + "\n";
        }
        for (const auto& [option, values] : node.values) {
            text += begin + " -l " + option.substr(2) + " -x -a " + fish_quoted(values) + "\n";
        }
    }
    return text;
}

} // namespace

void add_completion(Command& app, Context& context) {
    Command* command = app.add_subcommand("completion", "Print a script that completes commands");
    command->footer("Examples:\n  source <(ipfs-compute completion bash)\n"
                    "  ipfs-compute completion fish | source");
    const auto add_shell = [&](const std::string& shell, auto script) {
        Command* sub = command->add_subcommand(shell, "For " + shell);
        context.on_run(*sub, [&context, &app, script]() -> Result<int> {
            std::vector<Node> nodes;
            collect(app, "", nodes);
            TRY(context.streams.print(script(nodes)));
            return 0;
        });
    };
    add_shell("bash", [](const std::vector<Node>& nodes) {
        return with_known_paths(bash_script(nodes), nodes);
    });
    // zsh runs bash's script through its own emulation of complete and compgen.
    add_shell("zsh", [](const std::vector<Node>& nodes) {
        return "autoload -U +X bashcompinit && bashcompinit\n" +
               with_known_paths(bash_script(nodes), nodes);
    });
    add_shell("fish", [](const std::vector<Node>& nodes) { return fish_script(nodes); });
}

} // namespace ic::cli
