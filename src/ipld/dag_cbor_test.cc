#include "ipld/dag_cbor.h"

#include <gtest/gtest.h>

namespace ic::dag_cbor {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

/// What `hex` spells. Requires: whole bytes.
Bytes from_hex(std::string_view hex) {
    Bytes bytes;
    for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
        bytes.push_back(
            static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(at, 2)), nullptr, 16)));
    }
    return bytes;
}

struct Vector {
    Node node;
    std::string_view hex;
};

// RFC 8949 appendix A, the examples that DAG-CBOR keeps as they are.
TEST(DagCbor, EncodesAndDecodesTheExamplesOfRfc8949) {
    const Vector vectors[] = {
        {std::uint64_t{0}, "00"},
        {std::uint64_t{23}, "17"},
        {std::uint64_t{24}, "1818"},
        {std::uint64_t{100}, "1864"},
        {std::uint64_t{1000}, "1903e8"},
        {std::uint64_t{1000000}, "1a000f4240"},
        {std::uint64_t{1000000000000}, "1b000000e8d4a51000"},
        {std::uint64_t{18446744073709551615U}, "1bffffffffffffffff"},
        {std::int64_t{-1}, "20"},
        {std::int64_t{-10}, "29"},
        {std::int64_t{-100}, "3863"},
        {std::int64_t{-1000}, "3903e7"},
        {std::int64_t{-9223372036854775807 - 1}, "3b7fffffffffffffff"},
        {1.1, "fb3ff199999999999a"},
        {1.0e+300, "fb7e37e43c8800759c"},
        {-4.1, "fbc010666666666666"},
        {false, "f4"},
        {true, "f5"},
        {Node{}, "f6"},
        {Bytes{}, "40"},
        {Bytes{1, 2, 3, 4}, "4401020304"},
        {"", "60"},
        {"IETF", "6449455446"},
        {"\u00fc", "62c3bc"},
        {"\u6c34", "63e6b0b4"},
        {List{}, "80"},
        {List{std::uint64_t{1}, List{std::uint64_t{2}, std::uint64_t{3}}}, "8201820203"},
        {Map{}, "a0"},
        {Map{{"a", std::uint64_t{1}}, {"b", List{std::uint64_t{2}, std::uint64_t{3}}}},
         "a26161016162820203"},
    };
    for (const Vector& vector : vectors) {
        EXPECT_EQ(to_hex(encode(vector.node)), vector.hex);
        const Result<Node> node = decode(from_hex(vector.hex));
        ASSERT_TRUE(node) << vector.hex << ": " << node.error().message;
        EXPECT_EQ(*node, vector.node) << vector.hex;
    }
}

} // namespace
} // namespace ic::dag_cbor
