#include "ipld/dag_json.h"
#include "ipld/dag_pb.h"
#include "ipld/dag_pb_model.h"
#include "ipld/testing/hex.h"

#include <gtest/gtest.h>

#include <string>

namespace ic::dag_pb {
namespace {

using ipld::List;
using ipld::Map;
using Value = ipld::Node;

std::string shown(ByteView block) {
    const Result<Value> node = to_model(block);
    return node ? std::string(text_of(*dag_json::encode(*node))) : node.error().message;
}

Result<Bytes> made(std::string_view json) { return from_model(*dag_json::decode(bytes_of(json))); }

// What `ipfs dag get` of Kubo 0.43 prints for the empty directory,
// QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn.
TEST(DagPbModel, ShowsAnEmptyDirectory) {
    EXPECT_EQ(shown(from_hex("0a020801")), R"({"Data":{"/":{"bytes":"CAE"}},"Links":[]})");
    EXPECT_EQ(shown({}), R"({"Data":null,"Links":[]})");
}

TEST(DagPbModel, ShowsNullForWhatTheBlockLeavesOut) {
    const Cid cid = cid_of(Codec::raw, bytes_of("x"));
    const std::string hash = R"({"/":")" + cid.to_string() + R"("})";
    const std::string bare =
        R"({"Data":null,"Links":[{"Hash":)" + hash + R"(,"Name":null,"Tsize":null}]})";
    const std::string full = R"({"Data":{"/":{"bytes":"AQ"}},"Links":[{"Hash":)" + hash +
                             R"(,"Name":"","Tsize":0},{"Hash":)" + hash +
                             R"(,"Name":"n","Tsize":7}]})";
    for (const std::string& json : {bare, full}) {
        const Result<Bytes> block = made(json);
        ASSERT_TRUE(block.ok()) << block.error().message;
        EXPECT_EQ(shown(*block), json);
    }
    EXPECT_EQ(*made(R"({"Links":[{"Hash":)" + hash + "}]}"), *made(bare));
}

TEST(DagPbModel, IsWhatTheCodecItselfWrites) {
    const Bytes data{1, 2};
    const dag_pb::Node node{
        .links = {{.cid = cid_of(Codec::raw, bytes_of("x")), .name = "a", .tsize = 5},
                  {.cid = cid_of(Codec::dag_pb, bytes_of("y")), .name = "b", .tsize = 1 << 20}},
        .data = data};
    const Bytes block = encode(node);
    EXPECT_EQ(*from_model(*to_model(block)), block);
}

TEST(DagPbModel, SortsLinksByNameAndKeepsTheOrderOfEqualOnes) {
    const Cid x = cid_of(Codec::raw, bytes_of("x")), y = cid_of(Codec::raw, bytes_of("y"));
    const auto link = [](const Cid& cid, const char* name) {
        return Value{Map{{"Hash", cid}, {"Name", name}}};
    };
    const Bytes block = *from_model(Map{{"Links", List{link(y, "b"), link(y, "a"), link(x, "a")}}});
    const Decoded decoded = *decode(block);
    EXPECT_EQ(decoded.node.links,
              (std::vector<Link>{
                  {.cid = y, .name = "a"}, {.cid = x, .name = "a"}, {.cid = y, .name = "b"}}));
}

// ipld/codec-fixtures, negative-fixtures/dag-pb/encode: other kinds and other fields.
TEST(DagPbModel, RefusesWhatIsNoDagPb) {
    for (const std::string_view json :
         {"null",
          "[]",
          "1",
          "\"x\"",
          "{}",
          R"({"Data":{"/":{"bytes":"AQ"}}})",
          R"({"Links":null})",
          R"({"Links":{}})",
          R"({"Links":[null]})",
          R"({"Links":[{}]})",
          R"({"Links":[],"Data":"x"})",
          R"({"Links":[],"Extra":1})",
          R"({"Links":[{"Hash":"x"}]})",
          R"({"Links":[{"Hash":{"/":"bafkqaaa"},"Name":1}]})",
          R"({"Links":[{"Hash":{"/":"bafkqaaa"},"Tsize":-1}]})",
          R"({"Links":[{"Hash":{"/":"bafkqaaa"},"Tsize":9223372036854775808}]})",
          R"({"Links":[{"Hash":{"/":"bafkqaaa"},"Extra":1}]})"}) {
        const Result<Bytes> block = made(json);
        ASSERT_FALSE(block.ok()) << json;
        EXPECT_EQ(block.error().code, Errc::malformed) << json;
    }
}

TEST(DagPbModel, RefusesMoreLinksThanTheDecoderReads) {
    const Value link = Map{{"Hash", Cid{}}};
    EXPECT_TRUE(from_model(Map{{"Links", List(limits::links_max, link)}}).ok());
    EXPECT_EQ(from_model(Map{{"Links", List(limits::links_max + 1, link)}}).error().code,
              Errc::too_large);
}

} // namespace
} // namespace ic::dag_pb
