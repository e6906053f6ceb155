#include "ipld/dag_cbor.h"
#include "ipld/testing/hex.h"

#include <gtest/gtest.h>

namespace ic::dag_cbor {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

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

Errc error_of(std::string_view hex) {
    const Result<Node> node = decode(from_hex(hex));
    EXPECT_FALSE(node) << hex;
    return node ? Errc::internal : node.error().code;
}

TEST(DagCbor, WritesLinksAsTag42WithAZeroByte) {
    const Cid cid = cid_of(Codec::raw, bytes_of("hello world"));
    const std::string hex =
        "d82a582500" + to_hex(cid.bytes()); // 42, 37 bytes, identity prefix: the specification.
    EXPECT_EQ(to_hex(encode(Node{cid})), hex);
    EXPECT_EQ(*decode(from_hex(hex)), Node{cid});
}

TEST(DagCbor, SortsKeysByLengthThenBytes) {
    const Node node{Map{{"bb", true}, {"aaa", true}, {"b", true}, {"", true}, {"ab", true}}};
    EXPECT_EQ(to_hex(encode(node)),
              "a5"
              "60f5"
              "6162f5"
              "626162f5"
              "626262f5"
              "63616161f5");
    const Node sorted{Map{{"", true}, {"b", true}, {"ab", true}, {"bb", true}, {"aaa", true}}};
    EXPECT_EQ(*decode(encode(node)), sorted);
}

TEST(DagCbor, DecodeRejectsIntegersThatAreNotShortest) {
    for (const std::string_view hex : {"1800",
                                       "1817",
                                       "1900ff",
                                       "1a0000ffff",
                                       "1b00000000ffffffff",
                                       "3817",
                                       "580100",
                                       "780161",
                                       "980100",
                                       "b80000",
                                       "d9002a4100"}) {
        EXPECT_EQ(error_of(hex), Errc::malformed) << hex;
    }
}

TEST(DagCbor, DecodeRejectsWhatTheSpecificationLeavesOut) {
    for (const std::string_view hex : {
             "1c",
             "1f",
             "5fff",
             "7fff",
             "9fff",
             "bfff",
             "ff", // Indefinite lengths, reserved heads.
             "f0",
             "f7",
             "f8ff",
             "f93c00",
             "fa3f800000", // Other simple values and floats.
             "fb7ff8000000000000",
             "fb7ff0000000000000",
             "fbfff0000000000000", // NaN, infinities.
             "c000",
             "c11a514b67b0",
             "d82b4100", // Other tags.
             "d82a00",
             "d82a40",
             "d82a450101550000",
             "d82a5825f6", // Tag 42 on what is no link.
             "a1f5f5",
             "a10000",
             "a14161f5", // Keys that are no text.
             "a26162f56161f5",
             "a26161f56161f5",
             "a2626161f56162f5", // Order, twice, by length.
             "61ff",
             "62c080",
             "a161fff5", // Not UTF-8.
             "0000",
             "f6f6",
             "", // Left over, or nothing.
         }) {
        EXPECT_EQ(error_of(hex), Errc::malformed) << hex;
    }
}

TEST(DagCbor, DecodeRejectsIntegersBelowInt64) {
    EXPECT_EQ(error_of("3b8000000000000000"), Errc::too_large);
}

TEST(DagCbor, DecodeRejectsLengthsBeyondTheInput) {
    for (const std::string_view hex : {"5bffffffffffffffff",
                                       "7bffffffffffffffff",
                                       "9bffffffffffffffff",
                                       "bbffffffffffffffff",
                                       "9affffffff00"}) {
        EXPECT_EQ(error_of(hex), Errc::malformed) << hex;
    }
}

TEST(DagCbor, DecodeRejectsEveryProperPrefix) {
    const Cid cid = cid_of(Codec::raw, {});
    const Bytes whole = encode(Map{{"list", List{std::uint64_t{1000}, std::int64_t{-5}, 1.5, {}}},
                                   {"text", "\u00fc"},
                                   {"bytes", Bytes(30, 7)},
                                   {"link", cid}});
    EXPECT_TRUE(decode(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(decode(ByteView{whole}.first(size)).error().code, Errc::malformed) << size;
    }
}

TEST(DagCbor, DecodeRejectsOneLevelBeyondTheLimit) {
    Bytes nested(limits::depth_max, 0x81);
    nested.push_back(0x00);
    const Result<Node> deepest = decode(nested);
    ASSERT_TRUE(deepest) << deepest.error().message;
    EXPECT_EQ(encode(*deepest), nested);
    nested.insert(nested.begin(), 0x81);
    EXPECT_EQ(decode(nested).error().code, Errc::too_large);
}

TEST(DagCbor, DecodeRejectsOneValueBeyondTheLimit) {
    Bytes many = from_hex("9a0003ffff"); // With the list itself 2^18 values.
    many.insert(many.end(), limits::nodes_max - 1, 0xf6);
    EXPECT_TRUE(decode(many));
    many = from_hex("9a00040000");
    many.insert(many.end(), limits::nodes_max, 0xf6);
    EXPECT_EQ(decode(many).error().code, Errc::too_large);
}

TEST(Node, FindsEntriesOfMapsAlone) {
    const Node node{Map{{"a", std::uint64_t{1}}, {"b", Node{}}}};
    ASSERT_NE(node.find("a"), nullptr);
    EXPECT_EQ(*node.find("a"), Node{std::uint64_t{1}});
    EXPECT_TRUE(node.find("b")->is_null());
    EXPECT_EQ(node.find("c"), nullptr);
    EXPECT_EQ(Node{List{}}.find("a"), nullptr);
}

} // namespace
} // namespace ic::dag_cbor
