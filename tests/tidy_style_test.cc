/// The rules of CONTRIBUTING.md that a program can check. Each failure names file, line and remedy.

#include "tests/tidy_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

namespace ic::tidy {
namespace {

constexpr std::size_t file_lines_max = 600;
constexpr int function_lines_max = 70;
constexpr std::size_t columns_max = 100;

using Allowed = std::set<std::pair<std::string, std::string>>;

/// Lines of tidy_allow.txt: {rule, file}.
Allowed read_allowed(const std::vector<File>& files) {
    Allowed allowed;
    for (const File& file : files) {
        if (file.path != "tests/tidy_allow.txt") {
            continue;
        }
        for (const std::string_view line : lines_of(file.text)) {
            std::istringstream words{std::string(line)};
            std::string rule, path, reason;
            if (!line.starts_with("#") && words >> rule >> path) {
                EXPECT_TRUE(static_cast<bool>(words >> reason))
                    << "tests/tidy_allow.txt: " << path << ": say the reason";
                allowed.emplace(rule, path);
            }
        }
    }
    return allowed;
}

class TidyStyle : public testing::Test {
protected:
    static void SetUpTestSuite() {
        files_ = read_tree(IC_ROOT);
        allowed_ = read_allowed(files_);
    }

    static bool allows(const std::string& rule, const File& file) {
        return allowed_.contains({rule, file.path});
    }

    static std::string at(const File& file, std::size_t line_index) {
        return file.path + ":" + std::to_string(line_index + 1) + ": ";
    }

    /// Fails for each line of each file that `applies` to and that matches `bad`.
    template <class Applies>
    static void forbid(const std::regex& bad,
                       const std::string& rule,
                       const std::string& remedy,
                       Applies applies) {
        for (const File& file : files_) {
            if (!file.is_cpp() || !applies(file)) {
                continue;
            }
            const std::string code = without_comments_and_literals(file.text);
            const auto lines = lines_of(code);
            for (std::size_t index = 0; index < lines.size(); ++index) {
                if (std::regex_search(lines[index].begin(), lines[index].end(), bad) &&
                    !allows(rule, file)) {
                    ADD_FAILURE() << at(file, index) << remedy;
                }
            }
        }
    }

    static inline std::vector<File> files_;
    static inline Allowed allowed_;
};

bool everywhere(const File&) { return true; }

bool is_shipped(const File& file) { return file.under("src/") && !file.is_test(); }

TEST_F(TidyStyle, NothingIsThrown) {
    forbid(std::regex{R"(\bthrow\b)"}, "throw", "return a Result instead of `throw`", is_shipped);
}

TEST_F(TidyStyle, OwnersAloneAllocateAndClose) {
    forbid(std::regex{R"(\bdelete\b\s*(\[\])?\s*[\w*(])"},
           "owner",
           "use make_unique or a container: `delete` belongs to owner types",
           everywhere);
    forbid(std::regex{R"((^|[^\w:>])::close\(|^\s*close\([^,)][^,]*\);)"},
           "owner",
           "hold the descriptor in a UniqueFd; it closes",
           is_shipped);
    // A private constructor cannot be reached by make_unique: `unique_ptr<T>{new T(...)}` is fine,
    // and so is placement, which allocates nothing.
    static const std::regex allocates{R"((unique_ptr<[^;{}()]*>(\s\w+)?[{(]\s*)?\bnew\s+[\w:])"};
    for (const File& file : files_) {
        const std::string code =
            file.is_cpp() ? without_comments_and_literals(file.text) : std::string();
        for (auto found = std::sregex_iterator(code.begin(), code.end(), allocates);
             found != std::sregex_iterator();
             ++found) {
            const auto line = std::count(code.begin(), (*found)[0].second, '\n');
            EXPECT_TRUE((*found)[1].matched || allows("owner", file))
                << at(file, static_cast<std::size_t>(line))
                << "use make_unique or a container: `new` belongs to owner types";
        }
    }
}

TEST_F(TidyStyle, HeadersOpenNoNamespace) {
    forbid(std::regex{R"(^\s*using namespace)"},
           "using",
           "name what you use: a header must not open a namespace for others",
           [](const File& file) { return file.is(".h"); });
}

TEST_F(TidyStyle, HeadersBeginWithPragmaOnceAndSayWhatTheyAre) {
    for (const File& file : files_) {
        if (file.is(".h") && file.under("src/")) {
            const auto lines = lines_of(file.text);
            EXPECT_TRUE(lines.size() > 2 && lines[0] == "#pragma once" &&
                        lines[1].starts_with("/// "))
                << file.path
                << ":1: begin with `#pragma once` and then one `///` line for the file";
        }
    }
}

TEST_F(TidyStyle, PureFoldersTouchNothingOutside) {
    static const std::set<std::string> pure{"multiformats",
                                            "ipld",
                                            "unixfs",
                                            "archive",
                                            "car",
                                            "identity",
                                            "job",
                                            "session",
                                            "lease",
                                            "simulation"};
    const auto is_pure = [](const File& file) {
        const std::size_t slash = file.path.find('/', 4);
        return is_shipped(file) && slash != std::string::npos &&
               pure.contains(file.path.substr(4, slash - 4));
    };
    forbid(std::regex{R"(#\s*include <(thread|mutex|condition_variable|future|fstream|filesystem|)"
                      R"(unistd\.h|fcntl\.h|poll\.h|sys/.*)>)"},
           "pure",
           "this folder is pure: files, sockets and threads belong to an outer folder",
           is_pure);
    forbid(std::regex{R"(::now\(\)|\bnow_since_boot\(|\bnow_unix\()"},
           "pure",
           "this folder is pure: take the time as an argument",
           is_pure);
}

TEST_F(TidyStyle, FilesAreShortEnoughToRead) {
    for (const File& file : files_) {
        if (!file.is_code()) {
            continue;
        }
        const std::size_t lines = lines_of(file.text).size();
        EXPECT_TRUE(lines <= file_lines_max || allows("long-file", file))
            << file.path << ": " << lines << " lines, more than " << file_lines_max
            << ": split it, or give a reason in tests/tidy_allow.txt (rule long-file)";
    }
}

TEST_F(TidyStyle, FunctionsAreShortEnoughToRead) {
    for (const File& file : files_) {
        if (!file.is_cpp()) {
            continue;
        }
        for (const Function& function : functions_of(without_comments_and_literals(file.text))) {
            EXPECT_TRUE(function.lines <= function_lines_max || allows("long-function", file))
                << file.path << ":" << function.first_line << ": a function of " << function.lines
                << " lines, more than " << function_lines_max
                << ": split it, or give a reason in tests/tidy_allow.txt (rule long-function)";
        }
    }
}

TEST_F(TidyStyle, TextIsPlain) {
    // Written in halves: this file is read too.
    static const std::regex unfinished{std::string("\\b(TO") + "DO|FIX" + "ME|XX" + "X)\\b"};
    static const std::regex machine{std::string("(^|[^\\w.])/(wo") +
                                    "rk/(main|shared|\\.library)|tm" + "p/wt/|ro" + "ot/)"};
    for (const File& file : files_) {
        const auto lines = lines_of(file.text);
        EXPECT_TRUE(file.text.empty() || file.text.ends_with('\n'))
            << file.path << ": end the last line";
        for (std::size_t index = 0; index < lines.size(); ++index) {
            const std::string_view line = lines[index];
            EXPECT_TRUE(file.is(".go") || line.find('\t') == std::string_view::npos)
                << at(file, index) << "use spaces"; // gofmt has it otherwise.
            EXPECT_TRUE(!line.ends_with(' ') && !line.ends_with('\r'))
                << at(file, index) << "take the blanks at its end away";
            EXPECT_FALSE(std::regex_search(line.begin(), line.end(), unfinished))
                << at(file, index)
                << "finish it, or open an issue and say what is missing in words";
            EXPECT_FALSE(std::regex_search(line.begin(), line.end(), machine))
                << at(file, index) << "a path of one machine; compute it or take it as an argument";
        }
    }
}

TEST_F(TidyStyle, CodeFitsIntoAHundredColumns) {
    for (const File& file : files_) {
        if (!file.is_code()) {
            continue;
        }
        const auto lines = lines_of(file.text);
        for (std::size_t index = 0; index < lines.size(); ++index) {
            std::size_t columns = 0; // Code points: a byte 10xxxxxx continues one. A tab is four.
            for (const char c : lines[index]) {
                columns += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1U : 0U;
                columns += c == '\t' ? 3U : 0U;
            }
            EXPECT_TRUE(columns <= columns_max || allows("long-line", file))
                << at(file, index) << "break the line";
        }
    }
}

TEST_F(TidyStyle, NoFolderIsADrawer) {
    for (const File& file : files_) {
        static const std::regex drawer{R"((^|/)(utils?|common|misc|helpers)/)"};
        EXPECT_FALSE(std::regex_search(file.path, drawer))
            << file.path << ": name the folder after what it holds";
    }
}

TEST_F(TidyStyle, LinksInPagesLeadSomewhere) {
    static const std::regex link{R"(\]\(([^)\s]+)\))"};
    for (const File& file : files_) {
        if (!file.is(".md")) {
            continue;
        }
        const auto lines = lines_of(file.text);
        for (std::size_t index = 0; index < lines.size(); ++index) {
            const std::string line(lines[index]);
            for (auto found = std::sregex_iterator(line.begin(), line.end(), link);
                 found != std::sregex_iterator();
                 ++found) {
                const std::string target = (*found)[1].str();
                if (target.find("://") != std::string::npos || target.starts_with("#") ||
                    target.starts_with("mailto:")) {
                    continue;
                }
                const auto path = std::filesystem::path(IC_ROOT) / file.path;
                EXPECT_TRUE(std::filesystem::exists(path.parent_path() /
                                                    target.substr(0, target.find('#'))))
                    << at(file, index) << "no file " << target;
            }
        }
    }
}

// `add_job_list` is the command `job list`; its page is job_list.md, or job.md for the whole noun.
TEST_F(TidyStyle, EveryCommandHasAPage) {
    static const std::regex declared{R"(void add_((\w+?)(?:_\w+)?)\(CLI::App&)"};
    const auto pages = std::filesystem::path(IC_ROOT) / "docs/commands";
    for (const File& file : files_) {
        if (file.path != "src/cli/commands.h") {
            continue;
        }
        for (auto found = std::sregex_iterator(file.text.begin(), file.text.end(), declared);
             found != std::sregex_iterator();
             ++found) {
            EXPECT_TRUE(std::filesystem::exists(pages / ((*found)[1].str() + ".md")) ||
                        std::filesystem::exists(pages / ((*found)[2].str() + ".md")))
                << "src/cli/commands.h: write docs/commands/" << (*found)[1] << ".md";
        }
    }
}

TEST_F(TidyStyle, AllowListNamesFilesThatExist) {
    for (const auto& [rule, path] : allowed_) {
        EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::path(IC_ROOT) / path))
            << "tests/tidy_allow.txt: " << rule << " " << path << " is gone: take its line away";
    }
}

TEST_F(TidyStyle, LooksAtCodeOnlyWhereCodeIsMeant) {
    const std::string code = without_comments_and_literals("a; // throw\n\"new x\"; 'd'; 1'000;\n");
    EXPECT_EQ(code, "a;         \n\"     \"; ' '; 1'000;\n");
}

TEST_F(TidyStyle, MeasuresFunctions) {
    const auto found = functions_of(
        "#if defined(X)\n#endif\nnamespace a {\nstruct B {\n    int c() {\n        return 1;\n"
        "    }\n};\nconst int d[] = {\n    1,\n};\nvoid e() {\n}\n}\n");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].lines, 3);
    EXPECT_EQ(found[1].first_line, 12);
    EXPECT_EQ(found[1].lines, 2);
}

} // namespace
} // namespace ic::tidy
