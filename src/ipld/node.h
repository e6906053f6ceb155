#pragma once
/// Node: a value of the IPLD data model, as DAG-CBOR documents hold it.

#include "base/bytes.h"
#include "multiformats/cid.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ic::ipld {

class Node;
using List = std::vector<Node>;
/// Entries in any order; the codec writes them in canonical order and reads them in that order.
using Map = std::vector<std::pair<std::string, Node>>;

/// One value. Integers are -2^63 to 2^64-1: negative ones as int64, all others as uint64.
class Node {
public:
    using Value = std::variant<std::monostate,
                               bool,
                               std::uint64_t,
                               std::int64_t,
                               double,
                               std::string,
                               Bytes,
                               Cid,
                               List,
                               Map>;

    Node() = default; ///< null

    Node(bool value) : value_(value) {}

    Node(std::uint64_t value) : value_(value) {}

    Node(std::int64_t value) : value_(value) {
        if (value >= 0) {
            value_ = static_cast<std::uint64_t>(value);
        }
    }

    Node(double value) : value_(value) {}

    Node(std::string value) : value_(std::move(value)) {}

    Node(std::string_view value) : value_(std::string(value)) {}

    Node(const char* value) : value_(std::string(value)) {}

    Node(Bytes value) : value_(std::move(value)) {}

    Node(Cid value) : value_(std::move(value)) {}

    Node(List value) : value_(std::move(value)) {}

    Node(Map value) : value_(std::move(value)) {}

    bool is_null() const { return value_.index() == 0; }

    /// The value if it is a T, else nullptr. Unsigned for every integer that is not negative.
    template <class T>
    const T* as() const {
        return std::get_if<T>(&value_);
    }

    /// The entry of a map, or nullptr if this is no map or has no such key.
    const Node* find(std::string_view key) const;

    const Value& value() const { return value_; }

    friend bool operator==(const Node&, const Node&) = default;

private:
    Value value_;
};

} // namespace ic::ipld
