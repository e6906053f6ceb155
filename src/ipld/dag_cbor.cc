#include "ipld/dag_cbor.h"

#include "ipld/utf8.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <compare>
#include <type_traits>
#include <vector>

namespace ic::dag_cbor {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

/// RFC 8949 section 3.1.
enum class Major : std::uint8_t { positive, negative, bytes, text, list, map, tag, simple };

/// RFC 8949 section 3.3: the simple values DAG-CBOR allows, and the head of a 64-bit float.
constexpr std::uint8_t false_head = 0xf4;
constexpr std::uint8_t true_head = 0xf5;
constexpr std::uint8_t null_head = 0xf6;
constexpr std::uint8_t double_head = 0xfb;
constexpr std::uint64_t link_tag = 42;

std::strong_ordering key_order(std::string_view left, std::string_view right) {
    if (const auto by_size = left.size() <=> right.size(); by_size != 0) {
        return by_size;
    }
    return left.compare(right) <=> 0;
}

// ---- Encoding

void append_big_endian(Bytes& out, std::uint64_t value, unsigned bytes) {
    for (unsigned left = bytes; left > 0; --left) {
        out.push_back(static_cast<std::uint8_t>(value >> (8 * (left - 1))));
    }
}

void append_head(Bytes& out, Major major, std::uint64_t argument) {
    const auto top = static_cast<std::uint8_t>(static_cast<unsigned>(major) << 5U);
    if (argument < 24) {
        out.push_back(static_cast<std::uint8_t>(top | argument));
        return;
    }
    const unsigned width_log = argument <= 0xff         ? 0
                               : argument <= 0xffff     ? 1
                               : argument <= 0xffffffff ? 2
                                                        : 3;
    out.push_back(static_cast<std::uint8_t>(top | (24U + width_log)));
    append_big_endian(out, argument, 1U << width_log);
}

void append_text(Bytes& out, std::string_view text) {
    append_head(out, Major::text, text.size());
    const ByteView bytes = bytes_of(text);
    out.insert(out.end(), bytes.begin(), bytes.end());
}

struct Writer;
void append_node(const Writer& writer, const Node& node);

/// One overload a kind of value.
struct Writer {
    Bytes& out;
    KeyOrder order;
    std::size_t depth = 0; ///< Of the value that is written.

    Writer below() const { return {.out = out, .order = order, .depth = depth + 1}; }

    void operator()(std::monostate) const { out.push_back(null_head); }

    void operator()(bool value) const { out.push_back(value ? true_head : false_head); }

    void operator()(std::uint64_t value) const { append_head(out, Major::positive, value); }

    void operator()(std::int64_t value) const {
        assert(value < 0); // Node keeps the others unsigned.
        append_head(out, Major::negative, ~static_cast<std::uint64_t>(value));
    }

    void operator()(double value) const {
        assert(std::isfinite(value));
        out.push_back(double_head);
        append_big_endian(out, std::bit_cast<std::uint64_t>(value), 8);
    }

    void operator()(const std::string& value) const {
        assert(is_utf8(value));
        append_text(out, value);
    }

    void operator()(const Bytes& value) const {
        append_head(out, Major::bytes, value.size());
        out.insert(out.end(), value.begin(), value.end());
    }

    void operator()(const Cid& value) const {
        append_head(out, Major::tag, link_tag);
        append_head(out, Major::bytes, value.bytes().size() + 1);
        out.push_back(0); // The multibase "identity" prefix that the specification asks for.
        out.insert(out.end(), value.bytes().begin(), value.bytes().end());
    }

    void operator()(const List& list) const {
        assert(depth < limits::depth_max);
        append_head(out, Major::list, list.size());
        for (const Node& item : list) {
            append_node(below(), item);
        }
    }

    void operator()(const Map& map) const {
        assert(depth < limits::depth_max);
        std::vector<const Map::value_type*> entries;
        entries.reserve(map.size());
        for (const Map::value_type& entry : map) {
            entries.push_back(&entry);
        }
        if (order == KeyOrder::canonical) {
            std::ranges::sort(entries, [](const auto* left, const auto* right) {
                return key_order(left->first, right->first) < 0;
            });
        }
        append_head(out, Major::map, map.size());
        const std::string* previous = nullptr;
        for (const Map::value_type* entry : entries) {
            assert(previous == nullptr || *previous != entry->first);
            assert(is_utf8(entry->first));
            previous = &entry->first;
            append_text(out, entry->first);
            append_node(below(), entry->second);
        }
    }
};

void append_node(const Writer& writer, const Node& node) { std::visit(writer, node.value()); }

// ---- Decoding

Error malformed(const char* message) { return {Errc::malformed, message}; }

bool has_a_key_twice(const Map& map) {
    std::vector<std::string_view> keys;
    keys.reserve(map.size());
    for (const Map::value_type& entry : map) {
        keys.push_back(entry.first);
    }
    std::ranges::sort(keys);
    return std::ranges::adjacent_find(keys) != keys.end();
}

struct Head {
    Major major;
    std::uint64_t argument;
};

class Reader {
public:
    Reader(ByteView input, KeyOrder order) : rest_(input), order_(order) {}

    bool at_end() const { return rest_.empty(); }

    Result<Node> node(std::size_t depth);

private:
    Result<Head> head();
    Result<ByteView> run(std::uint64_t size);
    Result<std::string> text(std::uint64_t size);
    Result<Node> link(std::uint64_t tag);
    Result<Node> list(std::uint64_t count, std::size_t depth);
    Result<Node> map(std::uint64_t count, std::size_t depth);
    Result<Node> simple();

    ByteView rest_;
    KeyOrder order_;
    std::size_t nodes_ = 0;
};

Result<ByteView> Reader::run(std::uint64_t size) {
    if (size > rest_.size()) {
        return malformed("dag-cbor ends early");
    }
    const ByteView bytes = rest_.first(static_cast<std::size_t>(size));
    rest_ = rest_.subspan(bytes.size());
    return bytes;
}

Result<Head> Reader::head() {
    const std::uint8_t first = TRY(run(1)).front();
    const Major major{static_cast<std::uint8_t>(first >> 5U)};
    const unsigned low = first & 0x1fU;
    if (low < 24) {
        return Head{major, low};
    }
    if (low > 27) {
        return malformed("dag-cbor has no indefinite lengths and no reserved heads");
    }
    const unsigned width = 1U << (low - 24U);
    std::uint64_t argument = 0;
    for (const std::uint8_t byte : TRY(run(width))) {
        argument = argument << 8U | byte;
    }
    const std::uint64_t least = width == 1 ? 24 : std::uint64_t{1} << (width * 4);
    if (argument < least) {
        return malformed("dag-cbor integer is not the shortest encoding");
    }
    return Head{major, argument};
}

Result<std::string> Reader::text(std::uint64_t size) {
    const std::string_view text = text_of(TRY(run(size)));
    if (!is_utf8(text)) {
        return malformed("dag-cbor text is not UTF-8");
    }
    return std::string(text);
}

Result<Node> Reader::link(std::uint64_t tag) {
    if (tag != link_tag) {
        return malformed("dag-cbor has no tag but 42");
    }
    const Head content = TRY(head());
    if (content.major != Major::bytes) {
        return malformed("a dag-cbor link holds bytes");
    }
    const ByteView bytes = TRY(run(content.argument));
    if (bytes.empty() || bytes.front() != 0) {
        return malformed("a dag-cbor link starts with a zero byte");
    }
    return Node{TRY(Cid::from_bytes(bytes.subspan(1)))};
}

Result<Node> Reader::list(std::uint64_t count, std::size_t depth) {
    List items; // Grows as items are read: `count` is only a claim.
    for (std::uint64_t index = 0; index < count; ++index) {
        items.push_back(TRY(node(depth)));
    }
    return Node{std::move(items)};
}

Result<Node> Reader::map(std::uint64_t count, std::size_t depth) {
    Map entries;
    for (std::uint64_t index = 0; index < count; ++index) {
        const Head key_head = TRY(head());
        if (key_head.major != Major::text) {
            return malformed("dag-cbor map keys are text");
        }
        std::string key = TRY(text(key_head.argument));
        if (order_ == KeyOrder::canonical && !entries.empty() &&
            key_order(entries.back().first, key) >= 0) {
            return malformed("dag-cbor map keys are not in order, or one comes twice");
        }
        Node value = TRY(node(depth));
        entries.emplace_back(std::move(key), std::move(value));
    }
    if (order_ == KeyOrder::as_given && has_a_key_twice(entries)) {
        return malformed("a cbor map has a key twice");
    }
    return Node{std::move(entries)};
}

/// false, true, null or a double. Not through `head`: a float's bytes are no integer.
Result<Node> Reader::simple() {
    switch (TRY(run(1)).front()) {
    case false_head:
        return Node{false};
    case true_head:
        return Node{true};
    case null_head:
        return Node{};
    case double_head: {
        std::uint64_t bits = 0;
        for (const std::uint8_t byte : TRY(run(8))) {
            bits = bits << 8U | byte;
        }
        const auto value = std::bit_cast<double>(bits);
        if (!std::isfinite(value)) {
            return malformed("dag-cbor has no NaN and no infinity");
        }
        return Node{value};
    }
    default:
        return malformed("dag-cbor has no other simple values, and floats of 64 bits only");
    }
}

Result<Node> Reader::node(std::size_t depth) {
    if (++nodes_ > limits::nodes_max) {
        return Error{Errc::too_large, "dag-cbor holds more than 262144 values"};
    }
    if (!rest_.empty() && rest_.front() >> 5U == static_cast<unsigned>(Major::simple)) {
        return simple();
    }
    const Head value = TRY(head());
    switch (value.major) {
    case Major::positive:
        return Node{value.argument};
    case Major::negative:
        if (value.argument >> 63U != 0) {
            return Error{Errc::too_large, "dag-cbor integer is below -2^63"};
        }
        return Node{static_cast<std::int64_t>(~value.argument)};
    case Major::bytes:
        return Node{copy_of(TRY(run(value.argument)))};
    case Major::text:
        return Node{TRY(text(value.argument))};
    case Major::tag:
        return link(value.argument);
    case Major::list:
    case Major::map:
        if (depth == limits::depth_max) {
            return Error{Errc::too_large, "dag-cbor is nested more than 64 deep"};
        }
        return value.major == Major::list ? list(value.argument, depth + 1)
                                          : map(value.argument, depth + 1);
    case Major::simple:
        break; // Handled above.
    }
    return malformed("dag-cbor ends early");
}

} // namespace

Bytes encode(const Node& node, KeyOrder order) {
    Bytes out;
    append_node({.out = out, .order = order}, node);
    return out;
}

Result<Node> decode(ByteView input, KeyOrder order) {
    Reader reader(input, order);
    Node node = TRY(reader.node(0));
    if (!reader.at_end()) {
        return malformed("bytes are left over after the dag-cbor value");
    }
    return node;
}

} // namespace ic::dag_cbor
