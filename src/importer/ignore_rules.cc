#include "importer/ignore_rules.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace ic::importer {
namespace {

constexpr std::string_view refused_letters = "+()|{}^$]";
/// Letters that a '\' may stand in front of, with the same meaning here and in Kubo.
constexpr std::string_view escapable_letters = "#!*[]+()|{}^$\\ -";

std::string without_all(std::string text, std::string_view part) {
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at)) {
        text.erase(at, part.size());
    }
    return text;
}

/// How many bytes the letter at the front of `text` has: a byte that is no UTF-8 is one letter.
std::size_t letter_bytes(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t expected = first < 0xc2 ? 1U : first < 0xe0 ? 2U : first < 0xf0 ? 3U : 4U;
    if (first > 0xf4 || expected > text.size()) {
        return 1;
    }
    for (std::size_t index = 1; index < expected; ++index) {
        if ((static_cast<unsigned char>(text[index]) & 0xc0U) != 0x80U) {
            return 1;
        }
    }
    return expected;
}

Error about(std::string_view rule, std::string why) {
    return {Errc::malformed, "ignore rule '" + std::string(rule) + "': " + std::move(why)};
}

/// A letter after '\'. Requires: `rest` begins with '\'.
std::optional<char> take_escaped(std::string_view& rest) {
    if (rest.size() < 2 || escapable_letters.find(rest[1]) == std::string_view::npos) {
        return std::nullopt;
    }
    const char letter = rest[1];
    rest.remove_prefix(2);
    return letter;
}

} // namespace

Result<bool> IgnoreRules::add(std::string_view line) {
    if (line.size() > limits::ignore_rule_bytes_max) {
        return Error{Errc::too_large, "an ignore rule has more than 4096 bytes"};
    }
    while (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    if (line.starts_with('#')) {
        return true;
    }
    const std::size_t first = line.find_first_not_of(' ');
    if (first == std::string_view::npos) {
        return true;
    }
    line = line.substr(first, line.find_last_not_of(' ') - first + 1);
    Rule rule;
    std::string_view pattern = line;
    if (pattern.starts_with('!')) {
        rule.takes_back = true;
        pattern.remove_prefix(1);
    }
    if (pattern.starts_with('#') || pattern.starts_with('!')) {
        pattern.remove_prefix(1);
    }
    std::string rest = without_all(without_all(std::string(pattern), "**/"), "/**");
    if (rest.starts_with('/')) {
        rest.erase(0, 1);
    }
    if (rest.empty() || rest.find('/') != std::string::npos) {
        return false;
    }
    Result<std::vector<Token>> tokens = parse(rest);
    if (!tokens) {
        return about(line, tokens.error().message);
    }
    rule.tokens = std::move(tokens).take();
    rules_.push_back(std::move(rule));
    return true;
}

Result<void> IgnoreRules::add_lines(std::string_view text, std::vector<std::string>& useless) {
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        Result<bool> can_match = add(line);
        if (!can_match) {
            return std::move(can_match).take_error().during("line " + std::to_string(number));
        }
        if (!*can_match) {
            useless.emplace_back(line);
        }
    }
    return {};
}

bool IgnoreRules::matches(std::string_view name) const {
    bool is_left_out = false;
    for (const Rule& rule : rules_) {
        if (is_left_out == rule.takes_back && fits(rule.tokens, name)) {
            is_left_out = !rule.takes_back;
        }
    }
    return is_left_out;
}

Result<std::vector<IgnoreRules::Token>> IgnoreRules::parse(std::string_view rule) {
    std::vector<Token> tokens;
    while (!rule.empty()) {
        const char letter = rule.front();
        if (letter == '\\') {
            const std::optional<char> escaped = take_escaped(rule);
            if (!escaped) {
                return Error{Errc::malformed,
                             "'\\' has no meaning here; it stands in front of one of " +
                                 std::string(escapable_letters)};
            }
            tokens.push_back({.letter = *escaped});
        } else if (letter == '[') {
            tokens.push_back(TRY(take_class(rule)));
        } else if (refused_letters.find(letter) != std::string_view::npos) {
            return Error{Errc::malformed,
                         "'" + std::string(1, letter) + "' needs a '\\' in front of it"};
        } else {
            tokens.push_back(
                {.kind = letter == '*' ? Token::Kind::any : Token::Kind::letter, .letter = letter});
            rule.remove_prefix(1);
        }
    }
    return tokens;
}

Result<IgnoreRules::Token> IgnoreRules::take_class(std::string_view& rest) {
    Token token{.kind = Token::Kind::one_of};
    rest.remove_prefix(1);
    if (rest.starts_with('^')) {
        token.kind = Token::Kind::none_of;
        rest.remove_prefix(1);
    }
    const auto take_letter = [&rest]() -> Result<unsigned char> {
        const char letter = rest.empty() ? '\0' : rest.front();
        if (letter == '\\') {
            if (const std::optional<char> escaped = take_escaped(rest)) {
                return static_cast<unsigned char>(*escaped);
            }
        } else if (letter != '\0' && letter != '*' && letter != '[' && letter != ']' &&
                   static_cast<unsigned char>(letter) < 0x80) {
            rest.remove_prefix(1);
            return static_cast<unsigned char>(letter);
        }
        return Error{Errc::malformed, "between '[' and ']' stand plain letters and ranges"};
    };
    do {
        const unsigned char from = TRY(take_letter());
        unsigned char to = from;
        if (rest.size() > 1 && rest[0] == '-' && rest[1] != ']') {
            rest.remove_prefix(1);
            to = TRY(take_letter());
        }
        if (to < from) {
            return Error{Errc::malformed, "a range goes upwards, as in [a-z]"};
        }
        for (std::size_t letter = from; letter <= to; ++letter) {
            token.letters.set(letter);
        }
    } while (!rest.starts_with(']'));
    rest.remove_prefix(1);
    return token;
}

/// Where a '*' stands, the shortest run is tried first and made longer when the rest does not fit;
/// only the last one need ever be reconsidered, so this takes at most the product of both lengths.
bool IgnoreRules::fits(const std::vector<Token>& tokens, std::string_view name) {
    std::size_t token = 0, at = 0;
    std::optional<std::size_t> last_any;
    std::size_t run_ends = 0;
    while (at < name.size() || token < tokens.size()) {
        if (token < tokens.size() && tokens[token].kind == Token::Kind::any) {
            last_any = token++;
            run_ends = at;
            continue;
        }
        std::size_t taken = 0;
        if (token < tokens.size() && at < name.size()) {
            const Token& wanted = tokens[token];
            const auto letter = static_cast<unsigned char>(name[at]);
            if (wanted.kind == Token::Kind::letter) {
                taken = name[at] == wanted.letter ? 1 : 0;
            } else {
                const bool is_in = letter < 0x80 && wanted.letters.test(letter);
                taken = is_in == (wanted.kind == Token::Kind::one_of)
                            ? letter_bytes(name.substr(at))
                            : 0;
            }
        }
        if (taken != 0) {
            at += taken;
            ++token;
        } else if (last_any && run_ends < name.size()) {
            at = ++run_ends;
            token = *last_any + 1;
        } else {
            return false;
        }
    }
    return true;
}

} // namespace ic::importer
