#include "ipld/dag_cbor.h"
#include "ipld/dag_json.h"
#include "ipld/testing/hex.h"

#include <gtest/gtest.h>

#include <string>

namespace ic {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

std::string text(const Node& node) {
    const Result<Bytes> encoded = dag_json::encode(node);
    return encoded ? std::string(text_of(*encoded)) : "error: " + encoded.error().message;
}

Result<Node> read(std::string_view json) { return dag_json::decode(bytes_of(json)); }

Errc code(std::string_view json) { return read(json).error().code; }

const char* const v0 = "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n";
const char* const v1 = "bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";

// The first three: go-ipld-prime v0.24, codec/dagjson/roundtrip_test.go, roundtripBytes_test.go.
TEST(DagJson, EncodesAsGoIpldPrime) {
    EXPECT_EQ(text(Map{{"plain", "olde string"},
                       {"map", Map{{"one", std::uint64_t{1}}, {"two", std::uint64_t{2}}}},
                       {"list", List{"three", "four"}},
                       {"nested", Map{{"deeper", List{"things"}}}}}),
              R"({"list":["three","four"],"map":{"one":1,"two":2},)"
              R"("nested":{"deeper":["things"]},"plain":"olde string"})");
    EXPECT_EQ(text(Map{{"plain", "olde string"}, {"bytes", copy_of(bytes_of("deadbeef"))}}),
              R"({"bytes":{"/":{"bytes":"ZGVhZGJlZWY"}},"plain":"olde string"})");
    EXPECT_EQ(text(Map{{"/", Map{{"bytes", copy_of(bytes_of("deadbeef"))}}}}),
              R"({"/":{"bytes":{"/":{"bytes":"ZGVhZGJlZWY"}}}})");
    EXPECT_EQ(text(*Cid::parse(v0)), "{\"/\":\"" + std::string(v0) + "\"}");
    EXPECT_EQ(text(*Cid::parse(v1)), "{\"/\":\"" + std::string(v1) + "\"}");
    EXPECT_EQ(text(List{Node{}, true, false, Map{}, List{}, ""}), R"([null,true,false,{},[],""])");
}

// What refmt v0.90's JSON encoder writes, which Kubo 0.43 uses; also compared with it in
// tests/kubo.
TEST(DagJson, WritesNumbersAsKubo) {
    const std::pair<double, const char*> cases[] = {
        {0.5, "0.5"},
        {-0.5, "-0.5"},
        {1.0, "1"},
        {-1.0, "-1"},
        {100.25, "100.25"},
        {0.0, "0"},
        {-0.0, "-0"},
        {1e-6, "0.000001"},
        {1.5e-6, "0.0000015"},
        {9.9e-7, "9.9e-7"},
        {8.940696716308594e-8, "8.940696716308594e-8"},
        {1e20, "100000000000000000000"},
        {123456789012345680000.0, "123456789012345680000"},
        {1e21, "1e+21"},
        {1.5e300, "1.5e+300"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
    };
    for (const auto& [value, expected] : cases) {
        EXPECT_EQ(text(value), expected);
    }
    EXPECT_EQ(text(std::uint64_t{18446744073709551615U}), "18446744073709551615");
    EXPECT_EQ(text(std::int64_t{-9223372036854775807 - 1}), "-9223372036854775808");
}

TEST(DagJson, EscapesAsGo) {
    EXPECT_EQ(text("\"\\/\b\f\n\r\t\x01\x1f\x7f"),
              "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0001\\u001f\x7f\"");
    EXPECT_EQ(text("<\u2028\u2029&\u00e9\U0001F600"), "\"<\\u2028\\u2029&\u00e9\U0001F600\"");
    EXPECT_EQ(text(std::string("a\xff\xc3z")), "\"a\\ufffd\\ufffdz\"");
}

TEST(DagJson, ReadsEveryKindWithBlanksAround) {
    const Result<Node> node = read(" { \"b\" : [ 1 , -2 , 0.5 , 1e2, null ] ,\n\t\"a\":{\"/\":\"" +
                                   std::string(v1) + "\"}, \"c\":{\"/\":{\"bytes\":\"AQI\"}}}\r\n");
    ASSERT_TRUE(node.ok()) << node.error().message;
    EXPECT_EQ(*node,
              (Node{Map{{"b", List{std::uint64_t{1}, std::int64_t{-2}, 0.5, 100.0, Node{}}},
                        {"a", *Cid::parse(v1)},
                        {"c", Bytes{1, 2}}}}));
}

TEST(DagJson, TellsIntegersFromFloatsByPointAndExponent) {
    EXPECT_EQ(*read("1"), Node{std::uint64_t{1}});
    EXPECT_EQ(*read("1.0"), Node{1.0});
    EXPECT_EQ(*read("1E0"), Node{1.0});
    EXPECT_EQ(*read("-0"), Node{std::uint64_t{0}}); // As Kubo.
    EXPECT_EQ(*read("18446744073709551615"), Node{std::uint64_t{18446744073709551615U}});
    EXPECT_EQ(code("18446744073709551616"), Errc::too_large);
    EXPECT_EQ(*read("-9223372036854775808"), Node{std::int64_t{-9223372036854775807 - 1}});
    EXPECT_EQ(code("-9223372036854775809"), Errc::too_large);
    EXPECT_EQ(code("1e400"), Errc::too_large);
}

TEST(DagJson, ReadsEscapes) {
    EXPECT_EQ(*read(R"("\"\\\/\b\f\n\r\tA\u00e9\ud83d\ude00\u0000")"),
              Node{std::string("\"\\/\b\f\n\r\tA\u00e9\U0001F600\0", 16)});
}

TEST(DagJson, TakesPaddedBytesToo) {
    EXPECT_EQ(*read(R"({"/":{"bytes":"AQ=="}})"), Node{Bytes{1}});
    EXPECT_EQ(*read(R"({"/":{"bytes":""}})"), Node{Bytes{}});
    EXPECT_EQ(code(R"({"/":{"bytes":"AR"}})"), Errc::malformed) << "a bit that means nothing";
    EXPECT_EQ(code(R"({"/":{"bytes":"A"}})"), Errc::malformed);
}

// The rules of the reserved key, as go-ipld-prime v0.24 has them: one entry alone makes a link or
// bytes, and then it must be one.
TEST(DagJson, TakesMapsOfTheReservedKeyForLinksOnlyWhenTheyHaveNoOtherKey) {
    EXPECT_EQ(code(R"({"/":"b0"})"), Errc::malformed);
    EXPECT_EQ(*read(R"({"/":"no cid","a":1})"),
              (Node{Map{{"/", "no cid"}, {"a", std::uint64_t{1}}}}));
    EXPECT_EQ(*read(R"({"/":1})"), (Node{Map{{"/", std::uint64_t{1}}}}));
    EXPECT_EQ(*read(R"({"/":{"bytes":1}})"), (Node{Map{{"/", Map{{"bytes", std::uint64_t{1}}}}}}));
    EXPECT_EQ(*read("{\"/\":{\"/\":\"" + std::string(v0) + "\"}}"),
              (Node{Map{{"/", *Cid::parse(v0)}}}));
}

TEST(DagJson, RefusesToWriteAMapThatWouldBeReadAsALink) {
    EXPECT_EQ(dag_json::encode(Map{{"/", "text"}}).error().code, Errc::unsupported);
    EXPECT_EQ(dag_json::encode(List{Map{{"/", Map{{"bytes", "text"}}}}}).error().code,
              Errc::unsupported);
    EXPECT_EQ(text(Map{{"/", Map{{"bytes", "text"}, {"more", Node{}}}}}),
              R"({"/":{"bytes":"text","more":null}})");
}

TEST(DagJson, RefusesWhatIsNoJson) {
    for (const std::string_view json :
         {"",         " ",        "nul",         "True",        "[1,]",
          "[,1]",     "[1 2]",    "[1",          "{",           "{}x",
          "{\"a\"}",  "{\"a\":}", "{a:1}",       "{\"a\":1,}",  "{1:2}",
          "\"",       "\"\\x\"",  "\"\n\"",      "01",          "1.",
          ".5",       "+1",       "-",           "1e",          "1e+",
          "--1",      "NaN",      "[]]",         "\"\\u12\"",   "\"\\u12g4\"",
          "1 1",      "'a'",      "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
          "\"\xff\"", "\"\xc3\"", "// c\n1"}) {
        EXPECT_EQ(code(json), Errc::malformed) << json;
    }
    EXPECT_EQ(code(std::string_view("1\0", 2)), Errc::malformed);
}

// ipld/codec-fixtures, negative-fixtures/dag-json/decode/duplicate-keys.json.
TEST(DagJson, RefusesAKeyThatComesTwice) {
    const Result<Node> node =
        dag_json::decode(from_hex("7b22666f6f223a312c22666f6f223a322c22626172223a337d"));
    ASSERT_FALSE(node.ok());
    EXPECT_EQ(node.error().message, "json: the key \"foo\" comes twice in one map");
}

TEST(DagJson, EveryPrefixOfADocumentIsRefused) {
    const std::string whole = R"({"a":[1.5,"\ud83d\ude00",null],"b":{"/":{"bytes":"AQI"}}})";
    ASSERT_TRUE(read(whole).ok());
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(code(std::string_view(whole).substr(0, size)), Errc::malformed) << size;
    }
}

TEST(DagJson, BoundsDepthAndNumberOfValues) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_TRUE(read(nested(dag_json::limits::depth_max)).ok());
    EXPECT_EQ(code(nested(dag_json::limits::depth_max + 1)), Errc::too_large);
    EXPECT_EQ(code(nested(1'000'000)), Errc::too_large);
    const auto listed = [](std::size_t count) {
        std::string json = "[0";
        for (std::size_t index = 1; index < count; ++index) {
            json += ",0";
        }
        return json + "]";
    };
    EXPECT_TRUE(read(listed(dag_json::limits::nodes_max - 1)).ok());
    EXPECT_EQ(code(listed(dag_json::limits::nodes_max)), Errc::too_large);
}

TEST(DagJson, CanBeAsDeepAsDagCborAndNotDeeper) {
    EXPECT_EQ(dag_json::limits::depth_max, dag_cbor::limits::depth_max);
    EXPECT_EQ(dag_json::limits::nodes_max, dag_cbor::limits::nodes_max);
}

// As go-ipld-prime's codec/json writes: tabs, keys in their order, a line's end after a container.
TEST(PlainJson, IsIndentedAndKeepsTheOrderOfKeys) {
    const Node node = Map{{"b", List{std::uint64_t{1}, Map{}}}, {"a", "x"}};
    EXPECT_EQ(text_of(*plain_json::encode(node)),
              "{\n\t\"b\": [\n\t\t1,\n\t\t{}\n\t],\n\t\"a\": \"x\"\n}\n");
    EXPECT_EQ(text_of(*plain_json::encode(Node{"x"})), "\"x\"");
    EXPECT_EQ(*plain_json::decode(*plain_json::encode(node)), node);
}

TEST(PlainJson, HasNoLinksAndNoBytes) {
    EXPECT_EQ(plain_json::encode(Node{Bytes{1}}).error().code, Errc::unsupported);
    EXPECT_EQ(plain_json::encode(Node{*Cid::parse(v1)}).error().code, Errc::unsupported);
    const std::string link = "{\"/\":\"" + std::string(v1) + "\"}";
    EXPECT_EQ(*plain_json::decode(bytes_of(link)), (Node{Map{{"/", v1}}}));
}

} // namespace
} // namespace ic
