#include "ipld/dag_cbor.h"
#include "ipld/testing/hex.h"

#include <gtest/gtest.h>

namespace ic::dag_cbor {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

const Cid first = cid_of(Codec::raw, bytes_of("first"));
const Cid second = cid_of(Codec::dag_cbor, bytes_of("second"));

TEST(DagCborLinks, AreThoseOfTheDecodedValueInOrder) {
    const Bytes block = encode(Map{{"z", first},
                                   {"aa", List{Map{{"deep", second}}, "text", 5UL, 0.5, Node{}}},
                                   {"b", List{first, Bytes{1}, false, std::int64_t{-5}}}});
    EXPECT_EQ(*links(block), (std::vector<Cid>{first, first, second})); // Keys: b, z, aa.
}

// RFC 8949, appendix A, for the forms that DAG-CBOR's own encoder never writes.
TEST(DagCborLinks, TolerateWhatKubosDecoderDoes) {
    for (const char* hex : {"1817", "f90000", "fa47c35000", "f7", "1900ff", "a26161016141 02"}) {
        const Result<std::vector<Cid>> found = links(from_hex(hex));
        ASSERT_TRUE(found.ok()) << hex << ": " << found.error().message;
        EXPECT_TRUE(found->empty());
    }
}

TEST(DagCborLinks, RefuseWhatIsNotWhole) {
    const Bytes block = encode(Map{{"a", List{first, "text"}}, {"b", second}});
    for (std::size_t size = 0; size < block.size(); ++size) {
        EXPECT_EQ(links(ByteView{block}.first(size)).error().code, Errc::malformed) << size;
    }
    Bytes longer = block;
    longer.push_back(0);
    EXPECT_EQ(links(longer).error().code, Errc::malformed);
}

TEST(DagCborLinks, RefuseOtherTagsAndIndefiniteLengths) {
    for (const char* hex : {"9f00ff", "5f4100ff", "c100", "d82a00", "d82a40", "d82a4101", "1c"}) {
        EXPECT_EQ(links(from_hex(hex)).error().code, Errc::malformed) << hex;
    }
}

TEST(DagCborLinks, ClaimsOfLengthCostNothing) {
    for (const char* hex : {"9bffffffffffffffff",
                            "bb7fffffffffffffff00",
                            "9b000000ffffffffff00",
                            "7bffffffffffffffff",
                            "5bffffffffffffffff"}) {
        EXPECT_EQ(links(from_hex(hex)).error().code, Errc::malformed) << hex;
    }
}

TEST(DagCborLinks, BoundDepth) {
    const auto nested = [](std::size_t depth) {
        Bytes block(depth, 0x81);
        block.push_back(0xf6);
        return block;
    };
    EXPECT_TRUE(links(nested(limits::scan_depth_max)).ok());
    EXPECT_EQ(links(nested(limits::scan_depth_max + 1)).error().code, Errc::too_large);
    EXPECT_EQ(links(nested(1'000'000)).error().code, Errc::too_large);
}

TEST(DagCbor, KeepsKeysAsTheyWereGivenWhereAsked) {
    const Node node = Map{{"b", 1UL}, {"a", 2UL}};
    const Bytes as_given = encode(node, KeyOrder::as_given);
    EXPECT_EQ(as_given, from_hex("a2 6162 01 6161 02"));
    EXPECT_EQ(*decode(as_given, KeyOrder::as_given), node);
    EXPECT_EQ(decode(as_given).error().code, Errc::malformed);
    EXPECT_EQ(decode(from_hex("a2 6162 01 6162 02"), KeyOrder::as_given).error().code,
              Errc::malformed);
    EXPECT_EQ(decode(from_hex("a3 6162 01 6161 02 6162 03"), KeyOrder::as_given).error().code,
              Errc::malformed);
}

} // namespace
} // namespace ic::dag_cbor
