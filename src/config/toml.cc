#include "config/toml.h"

// An assertion of 3.3.0 stands before the error it would be: "[[|" ends in one, and without it in
// "expected bare key". The fuzz harness runs without them under the address sanitizer.
#define TOML_ASSERT(expression) static_cast<void>(0)
#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace ic::config {
namespace {

/// Where a line and column (both from 1, columns in code points) are in `text`, or its end.
std::size_t offset_of(std::string_view text, toml::source_position position) {
    std::size_t at = 0;
    for (toml::source_index line = 1; line < position.line; ++line) {
        const std::size_t end = text.find('\n', at);
        if (end == std::string_view::npos) {
            return text.size();
        }
        at = end + 1;
    }
    for (toml::source_index column = 1; column < position.column && at < text.size(); ++column) {
        do {
            ++at;
        } while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U);
    }
    return at;
}

void collect(const toml::node& node, const std::string& key, std::vector<TomlValue>& values) {
    const auto below = [&](std::string_view name) {
        return key.empty() ? std::string(name) : key + "." + std::string(name);
    };
    if (const toml::table* table = node.as_table()) {
        for (const auto& [name, child] : *table) {
            collect(child, below(name.str()), values);
        }
        return;
    }
    if (const toml::array* array = node.as_array();
        array != nullptr && array->is_array_of_tables()) {
        std::size_t index = 0;
        for (const toml::node& child : *array) {
            collect(child, below(std::to_string(index++)), values);
        }
        return;
    }
    TomlValue value{.key = key, .text = {}, .line = node.source().begin.line};
    if (const auto* text = node.as_string()) {
        value.kind = TomlValue::Kind::text;
        value.text = text->get();
    } else if (const auto* number = node.as_integer()) {
        value.kind = TomlValue::Kind::number;
        value.text = std::to_string(number->get());
    }
    values.push_back(std::move(value));
}

/// What TOML forbids but the library lets pass, or handles with undefined behaviour (3.3.0: some
/// letters beyond ASCII where a bare key or a line's end may stand): control characters, and
/// anything but ASCII outside of quotes and comments. Strings of several lines are not understood
/// here, so they are refused: no setting needs one.
Result<void> check_letters(std::string_view text, std::string_view name) {
    constexpr char comment = '#';
    constexpr char nothing = '\0';
    std::size_t line = 1;
    char inside = nothing; // The quote or '#' that was opened on this line.
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char letter = text[at];
        const auto byte = static_cast<unsigned char>(letter);
        const bool is_control =
            (byte < 0x20 && letter != '\t' && letter != '\n' && letter != '\r') || byte == 0x7f;
        const bool opens_lines = inside == nothing && (text.substr(at).starts_with("\"\"\"") ||
                                                       text.substr(at).starts_with("'''"));
        if (is_control || opens_lines || (byte >= 0x80 && inside == nothing)) {
            return Error{Errc::malformed,
                         std::string(name) + ":" + std::to_string(line) +
                             (opens_lines ? ": a string of several lines is not supported"
                                          : ": a character that is allowed in quotes and comments "
                                            "at most")};
        }
        if (letter == '\n') {
            inside = nothing;
            ++line;
        } else if (inside == '"' && letter == '\\' && !text.substr(at + 1).starts_with('\n')) {
            ++at; // What is escaped closes nothing.
        } else if (inside == nothing && (letter == '"' || letter == '\'' || letter == comment)) {
            inside = letter;
        } else if (inside == letter && letter != comment) {
            inside = nothing;
        }
    }
    return {};
}

Result<toml::table> parse(std::string_view text, std::string_view name, std::size_t bytes_max) {
    if (text.size() > bytes_max) {
        return Error{Errc::too_large,
                     std::string(name) + " has more than " + std::to_string(bytes_max) + " bytes"};
    }
    TRY(check_letters(text, name));
    try {
        return toml::parse(text);
    } catch (const toml::parse_error& error) {
        return Error{Errc::malformed,
                     std::string(name) + ":" + std::to_string(error.source().begin.line) + ": " +
                         std::string(error.description())};
    }
}

} // namespace

Result<std::vector<TomlValue>>
parse_toml(std::string_view text, std::string_view name, std::size_t bytes_max) {
    const toml::table table = TRY(parse(text, name, bytes_max));
    std::vector<TomlValue> values;
    collect(table, {}, values);
    return values;
}

std::string toml_quoted(std::string_view value) {
    std::string out = "\"";
    for (const char letter : value) {
        const auto byte = static_cast<unsigned char>(letter);
        if (letter == '"' || letter == '\\') {
            out.append({'\\', letter});
        } else if (byte < 0x20 || byte == 0x7f) {
            std::array<char, 8> escape{};
            std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(byte));
            out.append(escape.data());
        } else {
            out.push_back(letter);
        }
    }
    return out + "\"";
}

Result<std::string> edit_toml(std::string_view text,
                              std::string_view name,
                              std::string_view key,
                              std::string_view literal,
                              std::size_t bytes_max) {
    const toml::table table = TRY(parse(text, name, bytes_max));
    std::string changed(text);
    if (const toml::node* old = table.at_path(key).node()) {
        const std::size_t begin = offset_of(text, old->source().begin);
        const std::size_t end = offset_of(text, old->source().end);
        return changed.replace(begin, end < begin ? 0 : end - begin, literal);
    }
    const std::size_t dot = key.find('.');
    const std::string line = std::string(key.substr(dot == std::string_view::npos ? 0 : dot + 1)) +
                             " = " + std::string(literal) + "\n";
    if (dot == std::string_view::npos) {
        return line + changed; // Before the first table, where a key without one must stand.
    }
    const std::string section(key.substr(0, dot));
    if (const toml::node* existing = table.get(section)) {
        const std::size_t header = offset_of(text, existing->source().begin);
        const std::size_t end = text.find('\n', header);
        return end == std::string_view::npos ? changed + "\n" + line
                                             : changed.insert(end + 1, line);
    }
    if (!changed.empty() && changed.back() != '\n') {
        changed.push_back('\n');
    }
    return changed + "\n[" + section + "]\n" + line;
}

} // namespace ic::config
