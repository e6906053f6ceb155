#include "config/toml.h"

#include "config/document.h"

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

DocumentNode document_of(const toml::node& node, std::string name, std::size_t line) {
    using Kind = DocumentNode::Kind;
    DocumentNode made{.name = std::move(name), .text = {}, .parts = {}, .line = line};
    if (const toml::table* table = node.as_table()) {
        made.kind = Kind::table;
        for (const auto& [key, child] : *table) {
            made.parts.push_back(
                document_of(child, std::string(key.str()), key.source().begin.line));
        }
    } else if (const toml::array* array = node.as_array()) {
        made.kind = Kind::list;
        for (const toml::node& child : *array) {
            made.parts.push_back(document_of(child, {}, child.source().begin.line));
        }
    } else if (const auto* text = node.as_string()) {
        made.kind = Kind::text;
        made.text = text->get();
    } else if (const auto* number = node.as_integer()) {
        made.kind = Kind::number;
        made.text = std::to_string(number->get());
    } else if (const auto* truth = node.as_boolean()) {
        made.kind = Kind::truth;
        made.text = truth->get() ? "true" : "false";
    }
    return made;
}

/// `text` as the library may see it: ASCII alone. 3.3.0 has undefined behaviour for many letters
/// beyond it wherever it does not expect them. In comments each is replaced by one '?', so that
/// columns stay; in strings they have to be escapes (\u00e9), as `toml_quoted` writes them. Control
/// characters, which TOML forbids and the library lets pass, are refused too.
Result<std::string> ascii_of(std::string_view text, std::string_view name) {
    constexpr char nothing = '\0';
    std::string ascii;
    ascii.reserve(text.size());
    std::size_t line = 1;
    char inside = nothing; // The quote or '#' that was opened on this line.
    bool escaped = false;
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        const bool is_control =
            (byte < 0x20 && letter != '\t' && letter != '\n' && letter != '\r') || byte == 0x7f;
        if (is_control || (byte >= 0x80 && inside != '#')) {
            return Error{Errc::malformed,
                         std::string(name) + ":" + std::to_string(line) +
                             (is_control ? ": a control character"
                                         : ": a letter beyond ASCII; in quotes write it as an "
                                           "escape, \\u00e9")};
        }
        if (byte >= 0x80) {
            if ((byte & 0xc0U) != 0x80U) {
                ascii.push_back('?');
            }
            continue;
        }
        ascii.push_back(letter);
        if (letter == '\n') {
            inside = nothing;
            ++line;
        } else if (inside == nothing && (letter == '"' || letter == '\'' || letter == '#')) {
            inside = letter;
        } else if (inside == letter && letter != '#' && !escaped) {
            inside = nothing;
        }
        escaped = inside == '"' && letter == '\\' && !escaped;
    }
    return ascii;
}

/// The code point at the front of `text`, and past it; U+FFFD and one byte for what is no UTF-8.
char32_t take_code_point(std::string_view& text) {
    const auto at = [&text](std::size_t index) { return static_cast<unsigned char>(text[index]); };
    const unsigned lead = at(0);
    const std::size_t size = lead < 0x80U ? 1U : lead < 0xe0U ? 2U : lead < 0xf0U ? 3U : 4U;
    bool is_good = (lead < 0x80U || lead >= 0xc2U) && lead < 0xf5U && text.size() >= size;
    char32_t point = size == 1 ? lead : lead & (0xffU >> (size + 1U));
    for (std::size_t index = 1; is_good && index < size; ++index) {
        is_good = (at(index) & 0xc0U) == 0x80U;
        point = (point << 6U) | (at(index) & 0x3fU);
    }
    const bool is_scalar = point <= 0x10ffffU && (point < 0xd800U || point > 0xdfffU);
    text.remove_prefix(is_good ? size : 1U);
    return is_good && is_scalar ? point : U'\ufffd';
}

Result<toml::table> parse(std::string_view text, std::string_view name, std::size_t bytes_max) {
    if (text.size() > bytes_max) {
        return Error{Errc::too_large,
                     std::string(name) + " has more than " + std::to_string(bytes_max) + " bytes"};
    }
    const std::string ascii = TRY(ascii_of(text, name));
    try {
        return toml::parse(std::string_view{ascii});
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

Result<DocumentNode>
parse_toml_document(std::string_view text, std::string_view name, std::size_t bytes_max) {
    return document_of(TRY(parse(text, name, bytes_max)), {}, 1);
}

std::string toml_quoted(std::string_view value) {
    std::string out = "\"";
    while (!value.empty()) {
        const char32_t point = take_code_point(value);
        if (point == U'"' || point == U'\\') {
            out.append({'\\', static_cast<char>(point)});
        } else if (point < 0x20U || point >= 0x7fU) {
            std::array<char, 12> escape{};
            std::snprintf(escape.data(),
                          escape.size(),
                          point <= 0xffffU ? "\\u%04x" : "\\U%08x",
                          static_cast<unsigned>(point));
            out.append(escape.data());
        } else {
            out.push_back(static_cast<char>(point));
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
