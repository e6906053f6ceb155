#include "ipld/dag_json.h"

#include "ipld/utf8.h"
#include "multiformats/multibase.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cmath>
#include <optional>
#include <system_error>
#include <utility>

namespace ic {
namespace {

using dag_json::limits::depth_max;
using dag_json::limits::nodes_max;
using ipld::List;
using ipld::Map;
using ipld::Node;

/// Whether maps of one key "/" are links and bytes.
enum class Dialect : std::uint8_t { dag_json, plain_json };

constexpr std::string_view reserved_key = "/";
constexpr std::string_view bytes_key = "bytes";

/// The value of `map`'s only entry, if its key is `key`.
const Node* only_value(const Map& map, std::string_view key) {
    return map.size() == 1 && map.front().first == key ? &map.front().second : nullptr;
}

/// Whether the text of `map` is that of a link or of bytes.
bool is_reserved(const Map& map) {
    const Node* inner = only_value(map, reserved_key);
    if (inner == nullptr) {
        return false;
    }
    const Map* wrapped = inner->as<Map>();
    const Node* bytes = wrapped == nullptr ? nullptr : only_value(*wrapped, bytes_key);
    return inner->as<std::string>() != nullptr ||
           (bytes != nullptr && bytes->as<std::string>() != nullptr);
}

// ---- Encoding

class Writer {
public:
    explicit Writer(Dialect dialect) : dialect_(dialect) {}

    Result<void> node(const Node& node, std::size_t depth);

    Bytes take() { return std::move(out_); }

private:
    void append(std::string_view text) {
        const ByteView bytes = bytes_of(text);
        out_.insert(out_.end(), bytes.begin(), bytes.end());
    }

    void append_integer(auto value) {
        std::array<char, 24> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        append({digits.data(), end});
    }

    void append_double(double value);
    void append_text(std::string_view text);
    void append_escape(std::uint8_t character);
    void line(std::size_t depth);
    Result<void> list(const List& list, std::size_t depth);
    Result<void> map(const Map& map, std::size_t depth);

    Dialect dialect_;
    Bytes out_;
};

/// As ECMAScript's Number.prototype.toString, but for "-0": the shortest digits that give the same
/// double, without an exponent from 1e-6 up to below 1e21.
void Writer::append_double(double value) {
    assert(std::isfinite(value));
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(),
                                   buffer.data() + buffer.size(),
                                   std::abs(value),
                                   std::chars_format::scientific)
                         .ptr; // "d.ddde-07"
    const std::string_view text{buffer.data(), end};
    const std::size_t at = text.find('e');
    std::string digits(text.substr(0, at));
    std::erase(digits, '.');
    int exponent = 0;
    const std::string_view written = text.substr(at + (text[at + 1] == '+' ? 2 : 1));
    std::from_chars(written.data(), written.data() + written.size(), exponent);
    if (std::signbit(value)) {
        append("-");
    }
    if (value != 0 && (exponent < -6 || exponent > 20)) {
        append(digits.substr(0, 1));
        append(digits.size() > 1 ? "." : "");
        append(std::string_view(digits).substr(1));
        append(exponent < 0 ? "e" : "e+");
        append_integer(exponent);
        return;
    }
    const auto whole =
        static_cast<std::size_t>(std::max(exponent + 1, 0)); // Digits before the point.
    if (whole == 0) {
        append("0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits);
        return;
    }
    digits.resize(std::max(digits.size(), whole), '0');
    append(std::string_view(digits).substr(0, whole));
    append(digits.size() > whole ? "." : "");
    append(std::string_view(digits).substr(whole));
}

void Writer::append_escape(std::uint8_t character) {
    constexpr std::string_view hex = "0123456789abcdef";
    switch (character) {
    case '"':
        return append("\\\"");
    case '\\':
        return append("\\\\");
    case '\n':
        return append("\\n");
    case '\r':
        return append("\\r");
    case '\t':
        return append("\\t");
    default:
        append("\\u00");
        out_.push_back(static_cast<std::uint8_t>(hex[character >> 4U]));
        out_.push_back(static_cast<std::uint8_t>(hex[character & 0xfU]));
    }
}

/// Escapes what Go's encoders do: control characters, quotes, backslashes, and the two separators
/// that end a line in ECMAScript.
void Writer::append_text(std::string_view text) {
    append("\"");
    while (!text.empty()) {
        const auto first = static_cast<std::uint8_t>(text.front());
        const std::size_t size = utf8_character_bytes(text);
        if (size == 0) {
            append("\\ufffd");
            text.remove_prefix(1);
            continue;
        }
        if (size == 1 && (first < 0x20 || first == '"' || first == '\\')) {
            append_escape(first);
        } else if (text.starts_with("\u2028")) {
            append("\\u2028");
        } else if (text.starts_with("\u2029")) {
            append("\\u2029");
        } else {
            append(text.substr(0, size));
        }
        text.remove_prefix(size);
    }
    append("\"");
}

void Writer::line(std::size_t depth) {
    if (dialect_ == Dialect::plain_json) {
        out_.push_back('\n');
        out_.insert(out_.end(), depth, '\t');
    }
}

Result<void> Writer::list(const List& list, std::size_t depth) {
    append("[");
    for (std::size_t index = 0; index < list.size(); ++index) {
        append(index == 0 ? "" : ",");
        line(depth + 1);
        TRY(node(list[index], depth + 1));
    }
    if (!list.empty()) {
        line(depth);
    }
    append("]");
    return {};
}

Result<void> Writer::map(const Map& map, std::size_t depth) {
    std::vector<const Map::value_type*> entries;
    entries.reserve(map.size());
    for (const Map::value_type& entry : map) {
        entries.push_back(&entry);
    }
    if (dialect_ == Dialect::dag_json) {
        if (is_reserved(map)) {
            return Error{Errc::unsupported,
                         "a map whose only key is \"/\" cannot be written as dag-json, where it "
                         "would be a link or bytes; another codec can hold it"};
        }
        std::ranges::sort(entries, [](const auto* left, const auto* right) {
            return left->first < right->first;
        });
    }
    append("{");
    bool is_first = true;
    for (const Map::value_type* entry : entries) {
        append(std::exchange(is_first, false) ? "" : ",");
        line(depth + 1);
        append_text(entry->first);
        append(dialect_ == Dialect::plain_json ? ": " : ":");
        TRY(node(entry->second, depth + 1));
    }
    if (!map.empty()) {
        line(depth);
    }
    append("}");
    return {};
}

Result<void> Writer::node(const Node& node, std::size_t depth) {
    if (const auto* value = node.as<bool>()) {
        append(*value ? "true" : "false");
    } else if (const auto* positive = node.as<std::uint64_t>()) {
        append_integer(*positive);
    } else if (const auto* negative = node.as<std::int64_t>()) {
        append_integer(*negative);
    } else if (const auto* real = node.as<double>()) {
        append_double(*real);
    } else if (const auto* text = node.as<std::string>()) {
        append_text(*text);
    } else if (const auto* list = node.as<List>()) {
        assert(depth < depth_max);
        return this->list(*list, depth);
    } else if (const auto* map = node.as<Map>()) {
        assert(depth < depth_max);
        return this->map(*map, depth);
    } else if (node.is_null()) {
        append("null");
    } else if (dialect_ == Dialect::plain_json) {
        return Error{Errc::unsupported, "json has no links and no bytes; use dag-json"};
    } else if (const auto* bytes = node.as<Bytes>()) {
        append("{\"/\":{\"bytes\":\"" + multibase::encode_bare(Base::base64, *bytes) + "\"}}");
    } else {
        append("{\"/\":\"" + node.as<Cid>()->to_string() + "\"}");
    }
    return {};
}

// ---- Decoding

Error malformed(std::string message) { return {Errc::malformed, std::move(message)}; }

class Reader {
public:
    Reader(std::string_view text, Dialect dialect) : all_(text), rest_(text), dialect_(dialect) {}

    Result<Node> document();

private:
    Result<Node> value(std::size_t depth);
    Result<Node> list(std::size_t depth);
    Result<Node> map(std::size_t depth);
    Result<Node> special(Map map) const;
    Result<Node> number();
    Result<std::string> text();
    Result<void> escape(std::string& out);
    Result<std::uint32_t> code_unit();
    std::size_t digits();

    Error wrong(std::string_view what) const {
        return malformed("json: " + std::string(what) + " at byte " +
                         std::to_string(all_.size() - rest_.size()));
    }

    void skip_blanks() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
    }

    /// Advances past `word` if it comes next.
    bool take(std::string_view word) {
        if (!rest_.starts_with(word)) {
            return false;
        }
        rest_.remove_prefix(word.size());
        return true;
    }

    bool take_after_blanks(std::string_view word) {
        skip_blanks();
        return take(word);
    }

    std::string_view all_;
    std::string_view rest_;
    Dialect dialect_;
    std::size_t nodes_ = 0;
};

Result<Node> Reader::document() {
    Node node = TRY(value(0));
    skip_blanks();
    if (!rest_.empty()) {
        return wrong("something after the value");
    }
    return node;
}

Result<Node> Reader::value(std::size_t depth) {
    skip_blanks();
    if (++nodes_ > nodes_max) {
        return Error{Errc::too_large, "json holds more than 262144 values"};
    }
    if (rest_.empty()) {
        return wrong("the text ends early");
    }
    switch (rest_.front()) {
    case '{':
    case '[':
        if (depth == depth_max) {
            return Error{Errc::too_large, "json is nested more than 64 deep"};
        }
        return rest_.front() == '{' ? map(depth + 1) : list(depth + 1);
    case '"':
        return Node{TRY(text())};
    default:
        break;
    }
    if (take("null")) {
        return Node{};
    }
    if (take("true")) {
        return Node{true};
    }
    if (take("false")) {
        return Node{false};
    }
    return number();
}

Result<Node> Reader::list(std::size_t depth) {
    List items;
    take("[");
    if (take_after_blanks("]")) {
        return Node{std::move(items)};
    }
    do {
        items.push_back(TRY(value(depth)));
    } while (take_after_blanks(","));
    if (!take("]")) {
        return wrong("no comma and no ] after an item");
    }
    return Node{std::move(items)};
}

Result<Node> Reader::map(std::size_t depth) {
    Map entries;
    take("{");
    if (take_after_blanks("}")) {
        return Node{std::move(entries)};
    }
    do {
        skip_blanks();
        if (!rest_.starts_with('"')) {
            return wrong("a key that is no text");
        }
        std::string key = TRY(text());
        if (!take_after_blanks(":")) {
            return wrong("no colon after a key");
        }
        Node item = TRY(value(depth));
        entries.emplace_back(std::move(key), std::move(item));
    } while (take_after_blanks(","));
    if (!take("}")) {
        return wrong("no comma and no } after an entry");
    }
    std::vector<std::string_view> keys;
    keys.reserve(entries.size());
    for (const Map::value_type& entry : entries) {
        keys.push_back(entry.first);
    }
    std::ranges::sort(keys);
    if (const auto twice = std::ranges::adjacent_find(keys); twice != keys.end()) {
        return malformed("json: the key \"" + std::string(twice->substr(0, 64)) +
                         "\" comes twice in one map");
    }
    return dialect_ == Dialect::dag_json ? special(std::move(entries)) : Node{std::move(entries)};
}

/// `map`, or the link or bytes that it stands for.
Result<Node> Reader::special(Map map) const {
    if (!is_reserved(map)) {
        return Node{std::move(map)};
    }
    const Node& inner = map.front().second;
    if (const auto* link = inner.as<std::string>()) {
        Result<Cid> cid = Cid::parse(*link);
        if (!cid) {
            return std::move(cid).take_error().during("dag-json link");
        }
        return Node{std::move(cid).take()};
    }
    const std::string& text = *inner.as<Map>()->front().second.as<std::string>();
    // Without padding says the specification; Kubo reads both, and so do we.
    Result<Bytes> bytes =
        multibase::decode_bare(text.ends_with('=') ? Base::base64_pad : Base::base64, text);
    if (!bytes) {
        return std::move(bytes).take_error().during("dag-json bytes");
    }
    return Node{std::move(bytes).take()};
}

std::size_t Reader::digits() {
    const std::size_t count = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    rest_.remove_prefix(count);
    return count;
}

/// RFC 8259 section 6. With a point or an exponent it is a float, else an integer.
Result<Node> Reader::number() {
    const std::string_view start = rest_;
    const bool is_negative = take("-");
    if (!take("0") && digits() == 0) {
        return wrong("something that begins no value");
    }
    bool is_float = false;
    if (take(".")) {
        is_float = true;
        if (digits() == 0) {
            return wrong("no digit after a point");
        }
    }
    if (take("e") || take("E")) {
        is_float = true;
        if (!take("+")) {
            take("-");
        }
        if (digits() == 0) {
            return wrong("no digit in an exponent");
        }
    }
    const std::string_view written = start.substr(0, start.size() - rest_.size());
    const auto parsed = [&written](auto value) -> std::optional<Node> {
        const auto [end, error] =
            std::from_chars(written.data(), written.data() + written.size(), value);
        assert(error == std::errc::result_out_of_range || end == written.data() + written.size());
        return error == std::errc{} ? std::optional<Node>(value) : std::nullopt;
    };
    const std::optional<Node> node = is_float      ? parsed(double{})
                                     : is_negative ? parsed(std::int64_t{})
                                                   : parsed(std::uint64_t{});
    if (!node) {
        return Error{Errc::too_large,
                     "json: " + std::string(written.substr(0, 40)) +
                         " does not fit a number of 64 bits"};
    }
    return *node;
}

/// The four digits of `\uXXXX`.
Result<std::uint32_t> Reader::code_unit() {
    const std::string_view hex = rest_.substr(0, 4);
    std::uint32_t unit = 0;
    const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), unit, 16);
    if (hex.size() != 4 || error != std::errc{} || end != hex.data() + 4) {
        return wrong("a bad \\u");
    }
    rest_.remove_prefix(4);
    return unit;
}

Result<void> Reader::escape(std::string& out) {
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const std::size_t at = rest_.empty() ? std::string_view::npos : letters.find(rest_.front());
    if (at != std::string_view::npos) {
        rest_.remove_prefix(1);
        out.push_back(meanings[at]);
        return {};
    }
    if (!take("u")) {
        return wrong("a bad escape in text");
    }
    std::uint32_t code = TRY(code_unit());
    if (code >= 0xd800 && code < 0xe000) { // A surrogate; only a pair of them is a character.
        const bool is_high = code < 0xdc00;
        const std::uint32_t low = is_high && take("\\u") ? TRY(code_unit()) : 0;
        if (low < 0xdc00 || low >= 0xe000) {
            return wrong("a surrogate alone");
        }
        code = 0x10000 + ((code - 0xd800) << 10U) + (low - 0xdc00);
    }
    append_utf8(out, code);
    return {};
}

Result<std::string> Reader::text() {
    std::string out;
    take("\"");
    for (;;) {
        std::size_t plain = 0;
        while (plain < rest_.size() && static_cast<std::uint8_t>(rest_[plain]) >= 0x20 &&
               rest_[plain] != '"' && rest_[plain] != '\\') {
            ++plain;
        }
        if (!is_utf8(rest_.substr(0, plain))) {
            return wrong("text that is not UTF-8");
        }
        out.append(rest_.substr(0, plain));
        rest_.remove_prefix(plain);
        if (take("\"")) {
            return out;
        }
        if (!take("\\")) {
            return wrong(rest_.empty() ? "text without an end" : "a control character in text");
        }
        TRY(escape(out));
    }
}

Result<Bytes> encoded(const Node& node, Dialect dialect) {
    Writer writer(dialect);
    TRY(writer.node(node, 0));
    Bytes out = writer.take();
    const bool is_composite = node.as<List>() != nullptr || node.as<Map>() != nullptr;
    if (dialect == Dialect::plain_json && is_composite) {
        out.push_back('\n');
    }
    return out;
}

} // namespace

Result<Bytes> dag_json::encode(const Node& node) { return encoded(node, Dialect::dag_json); }

Result<Node> dag_json::decode(ByteView input) {
    return Reader(text_of(input), Dialect::dag_json).document();
}

Result<Bytes> plain_json::encode(const Node& node) { return encoded(node, Dialect::plain_json); }

Result<Node> plain_json::decode(ByteView input) {
    return Reader(text_of(input), Dialect::plain_json).document();
}

} // namespace ic
