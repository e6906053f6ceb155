/// Manual pages and completion, held against what `--help` says of every command.

#include "cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

using ic::testing_support::Finished;
using ic::testing_support::Program;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

/// A command as its help shows it.
struct Shown {
    std::vector<std::string> path;
    std::set<std::string> commands;
    std::set<std::string> flags;                            ///< "-q" and "--quiet".
    std::map<std::string, std::vector<std::string>> values; ///< Of options with a few.

    std::string path_text() const {
        std::string text;
        for (const std::string& word : path) {
            text += (text.empty() ? "" : " ") + word;
        }
        return text;
    }
};

std::vector<std::string> split(const std::string& text, char at) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, at);) {
        parts.push_back(part);
    }
    return parts;
}

Shown shown(const Program& program, const std::vector<std::string>& path) {
    Shown command{.path = path, .commands = {}, .flags = {}, .values = {}};
    std::vector<std::string> words = path;
    words.emplace_back("--help");
    const Finished help = program(words);
    EXPECT_EQ(help.status, 0) << help.err;
    static const std::regex sub{R"(  ([a-z][a-z0-9-]*) .*)"};
    static const std::regex flag{R"(  ((?:-[^ ,]+,)*-[^ ,:=\[]+).*)"};
    static const std::regex few{R"(  \S*(--[a-z-]+) [A-Z]+:\{([^}]*)\}.*)"};
    bool in_subcommands = false;
    std::istringstream lines(help.out);
    for (std::string line; std::getline(lines, line);) {
        std::smatch match;
        if (!line.starts_with(" ")) {
            in_subcommands = line == "Subcommands:";
        } else if (in_subcommands && std::regex_match(line, match, sub)) {
            command.commands.insert(match[1]);
        } else if (std::regex_match(line, match, flag) && line.find("ipfs-compute ") != 2) {
            for (const std::string& name : split(match[1], ',')) {
                command.flags.insert(name.substr(0, name.find('{'))); // "--no-pin{false}"
            }
            if (std::regex_match(line, match, few)) {
                command.values[match[1]] = split(match[2], ',');
            }
        }
    }
    return command;
}

/// The program and every command, each before those within it.
std::vector<Shown> all_commands(const Program& program) {
    std::vector<Shown> all{shown(program, {})};
    for (std::size_t at = 0; at < all.size(); ++at) {
        const Shown command = all[at];
        for (const std::string& name : command.commands) {
            std::vector<std::string> path = command.path;
            path.push_back(name);
            all.push_back(shown(program, path));
        }
    }
    return all;
}

std::string read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string lines_with(const std::string& text, const std::string& part) {
    std::string found;
    for (const std::string& line : split(text, '\n')) {
        found += line.find(part) == std::string::npos ? "" : line + "\n";
    }
    return found;
}

TEST(Completion, OffersEveryFlagCommandAndValueOfEveryCommand) {
    const Program program;
    const std::vector<Shown> commands = all_commands(program);
    EXPECT_GT(commands.size(), 50U);
    const std::vector<std::string> bash = split(program({"completion", "bash"}).out, '\n');
    const std::vector<std::string> zsh = split(program({"completion", "zsh"}).out, '\n');
    const std::string fish = program({"completion", "fish"}).out;
    const auto offered = [](const std::vector<std::string>& script, const std::string& at) {
        const std::string beginning = "        '" + at + "') offered='";
        for (const std::string& line : script) {
            if (line.starts_with(beginning)) {
                const auto words =
                    split(line.substr(beginning.size(), line.size() - beginning.size() - 3), ' ');
                return std::set<std::string>(words.begin(), words.end());
            }
        }
        return std::set<std::string>{};
    };
    std::size_t values = 0;
    for (const Shown& command : commands) {
        const std::string path = command.path_text();
        std::set<std::string> wanted = command.commands;
        wanted.insert(command.flags.begin(), command.flags.end());
        // It may offer more: flags that the help leaves out, since they are Kubo's and do nothing.
        EXPECT_THAT(offered(bash, path), IsSupersetOf(wanted)) << path;
        EXPECT_THAT(offered(zsh, path), IsSupersetOf(wanted)) << path;
        const std::string within = command.path.empty() ? "'__fish_use_subcommand"
                                   : command.path.size() == 1
                                       ? "'__fish_seen_subcommand_from " + path
                                       : "'__fish_seen_subcommand_from " + command.path[0] +
                                             "; and __fish_seen_subcommand_from " +
                                             command.path[1] + "'";
        for (const std::string& name : command.flags) {
            const bool is_long = name.starts_with("--");
            const std::string end =
                (is_long ? " -l " : " -s ") + name.substr(is_long ? 2 : 1) + "\n";
            EXPECT_NE(lines_with(fish, within).find(end), std::string::npos) << path << end;
        }
        for (const auto& [option, words] : command.values) {
            ++values;
            EXPECT_EQ(offered(bash, path + " " + option),
                      std::set<std::string>(words.begin(), words.end()))
                << path;
        }
    }
    EXPECT_GE(values, 3U) << "new --lang, worker --log-format and --log-level at least";
}

TEST(Manual, HasAPageForEveryCommandWithAllItsFlags) {
    const Program program;
    const std::string folder = program.folder() + "/man/man1";
    ASSERT_EQ(program({"man", "--folder", folder}).status, 0);
    std::size_t pages = 0;
    std::map<std::string, std::string> text; // By the first word of the path.
    for (const Shown& command : all_commands(program)) {
        const std::string name = command.path.empty() ? "" : command.path.front();
        if (!text.contains(name)) {
            ++pages;
            const std::string file =
                folder + "/ipfs-compute" + (name.empty() ? "" : "-" + name) + ".1";
            text[name] = read(file);
            EXPECT_EQ(text[name],
                      program(name.empty() ? std::vector<std::string>{"man"}
                                           : std::vector<std::string>{"man", name})
                          .out);
        }
        for (const std::string& flag : command.flags) {
            const std::string escaped = std::regex_replace(flag, std::regex("-"), "\\-");
            EXPECT_NE(text[name].find(escaped), std::string::npos)
                << command.path_text() << " " << flag;
        }
    }
    EXPECT_EQ(
        static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {})),
        pages);
    EXPECT_EQ(program({"man", "sumbit"}).status, 120);
    EXPECT_EQ(program({"man", "submit", "--folder", folder}).status, 120);
}

TEST(Manual, IsFormattedWithoutAComplaint) {
    if (!std::filesystem::exists("/usr/bin/groff")) {
        GTEST_SKIP() << "needs groff";
    }
    const Program program;
    const std::string folder = program.folder() + "/man1";
    ASSERT_EQ(program({"man", "--folder", folder}).status, 0);
    for (const auto& page : std::filesystem::directory_iterator(folder)) {
        const Finished formatted = ic::testing_support::run_process(
            {"/usr/bin/groff", "-man", "-Tascii", "-ww", "-P-cbou", page.path()});
        EXPECT_EQ(formatted.status, 0) << page.path();
        EXPECT_EQ(formatted.err, "") << page.path();
        EXPECT_THAT(formatted.out, HasSubstr("NAME\n")) << page.path();
        EXPECT_THAT(formatted.out, HasSubstr("EXIT STATUS")) << page.path();
    }
}

} // namespace
