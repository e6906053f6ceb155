#include "ipld/codec.h"
#include "ipld/testing/hex.h"

#include <gtest/gtest.h>

#include <string>

namespace ic::ipld {
namespace {

const Node value = Map{{"b", List{1UL, Node{}, "x"}}, {"a", 0.5}};

TEST(Codecs, HoldTheSameValue) {
    for (const Codec codec : {Codec::dag_cbor, Codec::dag_json, Codec::cbor, Codec::json}) {
        const Result<Bytes> block = encode_as(codec, value);
        ASSERT_TRUE(block.ok()) << block.error().message;
        const Result<Node> read = decode_as(codec, *block);
        ASSERT_TRUE(read.ok()) << read.error().message;
        EXPECT_EQ(*encode_as(Codec::dag_json, *read), *encode_as(Codec::dag_json, value));
    }
    EXPECT_EQ(*decode_as(Codec::raw, bytes_of("x")), Node{copy_of(bytes_of("x"))});
    EXPECT_EQ(*encode_as(Codec::raw, Node{Bytes{7}}), Bytes{7});
}

TEST(Codecs, SayWhatTheyCannotHold) {
    const Node link = List{Cid{}};
    EXPECT_EQ(encode_as(Codec::raw, value).error().code, Errc::unsupported);
    EXPECT_EQ(encode_as(Codec::cbor, link).error().code, Errc::unsupported);
    EXPECT_EQ(encode_as(Codec::json, link).error().code, Errc::unsupported);
    EXPECT_EQ(decode_as(Codec::cbor, *encode_as(Codec::dag_cbor, link)).error().code,
              Errc::unsupported);
    EXPECT_EQ(encode_as(Codec::dag_cbor, Node{std::string("\xff")}).error().code, Errc::malformed);
}

TEST(Codecs, NameOneThatIsNotKnown) {
    const Result<Node> node = decode_as(Codec{0x78}, bytes_of("x"));
    ASSERT_FALSE(node.ok());
    EXPECT_EQ(node.error().code, Errc::unsupported);
    EXPECT_NE(node.error().message.find("git-raw"), std::string::npos);
    EXPECT_EQ(encode_as(Codec{0x78}, value).error().code, Errc::unsupported);
}

} // namespace
} // namespace ic::ipld
