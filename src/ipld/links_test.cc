#include "ipld/dag_cbor.h"
#include "ipld/dag_pb.h"
#include "ipld/links.h"

#include <gtest/gtest.h>

#include <string>

namespace ic::ipld {
namespace {

const Cid first = cid_of(Codec::raw, bytes_of("first"));
const Cid second = cid_of(Codec::dag_pb, bytes_of("second"));

TEST(Links, OfDagPbAreItsLinksInTheirOrder) {
    const Bytes block = dag_pb::encode(
        {.links = {{.cid = second, .name = "a"}, {.cid = first}, {.cid = second}}, .data = {}});
    EXPECT_EQ(*links_of(Codec::dag_pb, block), (std::vector<Cid>{second, first, second}));
}

TEST(Links, OfDagCborAreFoundAtEveryDepth) {
    const Bytes block =
        dag_cbor::encode(Map{{"a", first}, {"b", List{Map{{"deep", second}}, "text", 5UL}}});
    EXPECT_EQ(*links_of(Codec::dag_cbor, block), (std::vector<Cid>{first, second}));
}

TEST(Links, OfDagJsonAreFoundInTheOrderOfTheText) {
    const std::string json = "{\"b\":{\"/\":\"" + second.to_string() + "\"},\"a\":[{\"/\":\"" +
                             first.to_string() + "\"}]}";
    EXPECT_EQ(*links_of(Codec::dag_json, bytes_of(json)), (std::vector<Cid>{second, first}));
}

TEST(Links, OfPlainCborAndJsonAreNone) {
    EXPECT_TRUE(links_of(Codec::cbor, bytes_of("x"))->empty());
    EXPECT_TRUE(links_of(Codec::json, bytes_of("{}"))->empty());
}

TEST(Links, OfRawBlocksAreNoneWhateverTheirBytes) {
    const Bytes block = dag_pb::encode({.links = {{.cid = first}}, .data = {}});
    EXPECT_TRUE(links_of(Codec::raw, block)->empty());
}

TEST(Links, OfWhatCannotBeReadAreAnErrorAndNotNone) {
    EXPECT_EQ(links_of(Codec::dag_pb, bytes_of("not dag-pb")).error().code, Errc::malformed);
    EXPECT_EQ(links_of(Codec{0x78}, bytes_of("git")).error().code, Errc::unsupported);
}

} // namespace
} // namespace ic::ipld
