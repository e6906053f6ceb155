#pragma once
/// IgnoreRules: which names inside folders are left out, in the syntax of .gitignore as Kubo reads
/// it.

#include "base/result.h"

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ic::importer {

namespace limits {
/// Ours: a file of rules, and one rule.
inline constexpr std::size_t ignore_file_bytes_max = std::size_t{1} << 20U;
inline constexpr std::size_t ignore_rule_bytes_max = 4096;
} // namespace limits

/// A value. Kubo compares rules with the last name of a path alone, so these rules do too:
///
/// - a line that begins with '#' is a comment; blanks around a rule do not count;
/// - '*' stands for any letters, `[a-z]` and `[^a-z]` for one; all else stands for itself, '?' too;
///   a '\' in front takes the meaning of a special letter away;
/// - a '/' in front, a `**/` anywhere and a `/**` mean nothing; a rule with any other '/' (`dir/`
///   also) can match no name: `can_match` of it is false;
/// - '!' in front takes back what earlier rules left out; the last rule that matches decides.
///
/// Source: what boxo v0.42.1 (files/filter.go) makes of its gitignore library. That one hands other
/// letters with a meaning in regular expressions (`+ ( ) | { } ^ $`) on to them, or forgets a rule
/// that is then none; such rules are refused here.
class IgnoreRules {
public:
    /// Adds one rule, or nothing for an empty line and a comment. Whether it can match any name.
    /// Errors: malformed, with the letter that is the matter; too_large.
    Result<bool> add(std::string_view line);

    /// The lines of a file; those that can match nothing are appended to `useless`.
    /// Errors: as `add`, with the number of the line.
    Result<void> add_lines(std::string_view text, std::vector<std::string>& useless);

    /// Whether the file or folder called `name` is left out.
    bool matches(std::string_view name) const;

private:
    struct Token {
        enum class Kind : std::uint8_t { letter, any, one_of, none_of };

        Kind kind = Kind::letter;
        char letter = 0;
        std::bitset<128> letters{};
    };

    struct Rule {
        std::vector<Token> tokens;
        bool takes_back = false;
    };

    static Result<std::vector<Token>> parse(std::string_view rule);
    static Result<Token> take_class(std::string_view& rest);
    static bool fits(const std::vector<Token>& tokens, std::string_view name);

    std::vector<Rule> rules_;
};

} // namespace ic::importer
