#pragma once
/// The files of the repository, as the tidy tests read them.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ic::tidy {

struct File {
    std::string path; ///< From the root of the repository, with '/'.
    std::string text;

    bool is(std::string_view ending) const { return path.ends_with(ending); }

    bool under(std::string_view folder) const { return path.starts_with(folder); }

    bool is_cpp() const { return is(".h") || is(".cc"); }

    /// Code of any language, which has bounds of lines and columns.
    bool is_code() const {
        return is_cpp() || is(".c") || is(".rs") || is(".py") || is(".go") || is(".ts") ||
               is(".mjs");
    }

    /// Tests, their doubles, fuzz harnesses and benchmarks.
    bool is_test() const;
};

/// Every text file that people write: no build folders, no caches, no binary or seed files.
std::vector<File> read_tree(const std::filesystem::path& root);

/// `text` without its comments and the contents of its literals; lines and columns stay.
std::string without_comments_and_literals(std::string_view text);

std::vector<std::string_view> lines_of(std::string_view text);

struct Function {
    std::string head; ///< What stands before its first brace, on one line.
    int first_line;
    int lines;
};

/// The outermost functions of a C++ file whose comments and literals are taken out. Knows what
/// clang-format leaves; it is no parser.
std::vector<Function> functions_of(std::string_view code);

} // namespace ic::tidy
