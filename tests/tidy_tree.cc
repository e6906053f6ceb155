#include "tests/tidy_tree.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

namespace ic::tidy {
namespace {

namespace fs = std::filesystem;

/// `path` is from the root of the repository.
bool is_text(const fs::path& path) {
    static const std::set<std::string> endings{".h",
                                               ".cc",
                                               ".c",
                                               ".rs",
                                               ".go",
                                               ".ts",
                                               ".mjs",
                                               ".py",
                                               ".md",
                                               ".txt",
                                               ".cmake",
                                               ".sh",
                                               ".js",
                                               ".toml",
                                               ".yml",
                                               ".css",
                                               ".json",
                                               ".html"};
    const std::string name = path.filename();
    return endings.contains(path.extension()) || name == "LAYERS" || name.starts_with(".clang-") ||
           path.parent_path() == "tools" || path.parent_path() == ".ci";
}

bool is_skipped_folder(const std::string& name) {
    return name == "build" || name == ".git" || name == "target" || name == "node_modules" ||
           name == "corpus" || name == "__pycache__";
}

/// Blanks one comment or literal at a time.
class Blanker {
public:
    explicit Blanker(std::string_view text) : in_(text), out_(text) {}

    std::string run() {
        while (at_ < in_.size()) {
            if (ahead("//")) {
                blank_to(std::min(in_.find('\n', at_), in_.size()));
            } else if (ahead("/*")) {
                blank_to(after("*/", at_ + 2));
            } else if (ahead("R\"") && !inside_word()) {
                const std::size_t open = in_.find('(', at_);
                const std::string close =
                    ")" + std::string(in_.substr(at_ + 2, open - at_ - 2)) + "\"";
                blank_to(after(close, open));
            } else if (in_[at_] == '"' || (in_[at_] == '\'' && !inside_word())) {
                blank_literal(in_[at_]);
            } else {
                ++at_;
            }
        }
        return std::move(out_);
    }

private:
    bool ahead(std::string_view what) const { return in_.substr(at_).starts_with(what); }

    /// A quote inside a word is a digit separator (1'000).
    bool inside_word() const {
        return at_ > 0 &&
               (std::isalnum(static_cast<unsigned char>(in_[at_ - 1])) != 0 || in_[at_ - 1] == '_');
    }

    std::size_t after(std::string_view what, std::size_t from) const {
        const std::size_t found = in_.find(what, from);
        return found == std::string_view::npos ? in_.size() : found + what.size();
    }

    void blank_to(std::size_t end) {
        for (; at_ < end; ++at_) {
            if (in_[at_] != '\n') {
                out_[at_] = ' ';
            }
        }
    }

    void blank_literal(char quote) {
        std::size_t end = at_ + 1;
        while (end < in_.size() && in_[end] != quote && in_[end] != '\n') {
            end += in_[end] == '\\' ? 2 : 1;
        }
        // The quotes stay, so that `""` still reads as something.
        ++at_;
        blank_to(std::min(end, in_.size()));
        ++at_;
    }

    std::string_view in_;
    std::string out_;
    std::size_t at_ = 0;
};

enum class Block : char { scope, function, other };

Block kind_of(std::string head) {
    static const std::regex scope{R"(^\s*(namespace\b|extern\s*"|(template\s*<.*>\s*)?)"
                                  R"((class|struct|union|enum)\b[^()]*$))"};
    static const std::regex access{R"(^\s*(public|private|protected)\s*:)"};
    head = std::regex_replace(head, access, "");
    if (std::regex_search(head, scope)) {
        return Block::scope;
    }
    const bool is_value = head.find(" = ") != std::string::npos &&
                          head.find("operator") == std::string::npos &&
                          head.find('(') > head.find(" = ");
    return head.find('(') != std::string::npos && !is_value ? Block::function : Block::other;
}

} // namespace

bool File::is_test() const {
    return is("_test.cc") || is("_bench.cc") || path.find("/testing/") != std::string::npos ||
           under("tests/") || under("fuzz/") || under("bench/");
}

std::vector<File> read_tree(const fs::path& root) {
    std::vector<File> files;
    for (auto entry = fs::recursive_directory_iterator(root);
         entry != fs::recursive_directory_iterator();
         ++entry) {
        if (entry->is_directory()) {
            if (is_skipped_folder(entry->path().filename())) {
                entry.disable_recursion_pending();
            }
        } else if (entry->is_regular_file() && is_text(fs::relative(entry->path(), root))) {
            std::ifstream file(entry->path(), std::ios::binary);
            files.push_back({fs::relative(entry->path(), root).generic_string(),
                             std::string(std::istreambuf_iterator<char>(file), {})});
        }
    }
    std::sort(files.begin(), files.end(), [](const File& left, const File& right) {
        return left.path < right.path;
    });
    return files;
}

std::string without_comments_and_literals(std::string_view text) { return Blanker(text).run(); }

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::vector<Function> functions_of(std::string_view code) {
    std::vector<Function> functions;
    std::vector<Block> open;
    std::string head;
    int line = 1;
    Function current{};
    int inside = 0;         // Blocks open since the outermost function or value began.
    bool directive = false; // Inside a line of the preprocessor, which may be continued.
    char before = '\n';
    for (const char c : code) {
        line += c == '\n' ? 1 : 0;
        directive = directive ? c != '\n' || before == '\\' : c == '#' && before == '\n';
        before = c;
        if (directive) {
            continue;
        }
        if (c == '{') {
            const Block kind = inside > 0 ? Block::other : kind_of(head);
            open.push_back(kind);
            if (kind == Block::function) {
                current = {.head = head, .first_line = line, .lines = 0};
            }
            inside += kind == Block::scope ? 0 : 1;
            head.clear();
        } else if (c == '}' && !open.empty()) {
            if (open.back() == Block::function) {
                current.lines = line - current.first_line + 1;
                functions.push_back(current);
            }
            inside -= open.back() == Block::scope ? 0 : 1;
            open.pop_back();
            head.clear();
        } else if (c == ';') {
            head.clear();
        } else if (inside == 0) {
            head += c == '\n' ? ' ' : c;
        }
    }
    return functions;
}

} // namespace ic::tidy
