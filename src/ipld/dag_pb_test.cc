#include "ipld/dag_pb.h"
#include "ipld/testing/hex.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ic::dag_pb {
namespace {

/// The shortest link: an identity CID of nothing, without name and size.
constexpr std::string_view bare_link = "1206 0a04 01550000";
/// The same with empty name and size 0, as `encode` writes it.
constexpr std::string_view full_link = "120a 0a04 01550000 1200 1800";

Errc error_of(std::string_view hex) {
    const Result<Decoded> decoded = decode(from_hex(hex));
    EXPECT_FALSE(decoded) << hex;
    return decoded ? Errc::internal : decoded.error().code;
}

/// What decoding and encoding again makes of `hex`; `form` says how it was taken.
std::string again(std::string_view hex, Form form) {
    const Bytes bytes = from_hex(hex);
    const Result<Decoded> decoded = decode(bytes);
    EXPECT_TRUE(decoded) << hex;
    if (!decoded) {
        return decoded.error().message;
    }
    EXPECT_EQ(decoded->form, form) << hex;
    return to_hex(encode(decoded->node));
}

// The first cases of compat_test.go in ipld/go-codec-dagpb.
TEST(DagPb, KeepsNothingAndEmptyDataApart) {
    EXPECT_EQ(again("", Form::canonical), "");
    EXPECT_EQ(again("0a00", Form::canonical), "0a00");
    EXPECT_EQ(again("0a050001020304", Form::canonical), "0a050001020304");
}

TEST(DagPb, WritesLinksWithAllFieldsBeforeTheData) {
    const Cid cid = cid_of(Codec::raw, bytes_of("x"));
    const Bytes data = from_hex("0801");
    const Bytes block = encode({.links = {{.cid = cid, .name = "a", .tsize = 300}}, .data = data});
    EXPECT_EQ(to_hex(block), "122c0a24" + to_hex(cid.bytes()) + "12016118ac02" + "0a020801");
    EXPECT_EQ(block.size(), encoded_link_bytes(cid.bytes().size(), 1, 300) + 4);
    const Decoded decoded = decode(block).take();
    EXPECT_EQ(decoded.form, Form::canonical);
    ASSERT_EQ(decoded.node.links.size(), 1U);
    EXPECT_EQ(decoded.node.links[0], (Link{.cid = cid, .name = "a", .tsize = 300}));
    EXPECT_TRUE(std::ranges::equal(*decoded.node.data, data));
}

// What go-codec-dagpb takes besides the canonical form.
TEST(DagPb, TakesDataFirstBareLinksAndUnsortedLinks) {
    const std::string canonical = to_hex(from_hex(full_link)) + "0a0100";
    EXPECT_EQ(again("0a0100" + std::string(full_link), Form::tolerated), canonical);
    EXPECT_EQ(again(std::string(bare_link) + "0a0100", Form::tolerated), canonical);
    const std::string unsorted = "120b0a04015500001201621800"
                                 "120b0a04015500001201611800";
    EXPECT_EQ(again(unsorted, Form::tolerated), unsorted);
}

TEST(DagPb, DecodeRejectsWhatGoCodecDagpbRejects) {
    const std::string link{bare_link};
    for (const std::string& hex : {
             std::string("0a000a00"),                       // Data twice,
             link + "0a00" + link,                          // and among the links.
             std::string("1200"),                           // No hash,
             std::string("1202 1200"),                      // nor here,
             std::string("1208 1200 0a0401550000"),         // and not first.
             std::string("120c 0a0401550000 0a0401550000"), // Hash twice.
             std::string("120a 0a0401550000 1800 1200"),    // Name after size.
             std::string("1208 0a0401550000 2000"),         // Unknown field of a link,
             std::string("1a00"),
             std::string("0800"), // and of a node; wrong wire types.
             std::string("1000"),
             std::string("0d00000000"),
             std::string("0200"),
             std::string("1208 0a0401550000 1000"),
             std::string("1204 0a020155"),       // Not a CID.
             std::string("1207 0a050155000000"), // A CID and more.
             std::string("8a0000"),              // A tag that is not shortest.
         }) {
        EXPECT_EQ(error_of(hex), Errc::malformed) << hex;
    }
}

TEST(DagPb, DecodeRejectsEveryProperPrefixThatCutsAField) {
    const Bytes whole = from_hex(std::string(full_link) + "0a020801");
    const std::size_t link_bytes = from_hex(full_link).size();
    for (std::size_t size = 1; size < whole.size(); ++size) {
        EXPECT_EQ(decode(ByteView{whole}.first(size)).ok(), size == link_bytes) << size;
    }
}

TEST(DagPb, DecodeRejectsASizeOf64Bits) {
    EXPECT_TRUE(decode(from_hex("1210 0a0401550000 18ffffffffffffffff7f")));
    EXPECT_EQ(error_of("1213 0a0401550000 1200 1880808080808080808001"), Errc::too_large);
}

TEST(DagPb, DecodeRejectsOneLinkBeyondTheLimit) {
    Bytes many;
    const Bytes link = from_hex(bare_link);
    for (std::size_t count = 0; count < limits::links_max; ++count) {
        many.insert(many.end(), link.begin(), link.end());
    }
    EXPECT_TRUE(decode(many));
    many.insert(many.end(), link.begin(), link.end());
    EXPECT_EQ(decode(many).error().code, Errc::too_large);
}

} // namespace
} // namespace ic::dag_pb
