#include "multiformats/multicodec.h"

#include <gtest/gtest.h>

namespace ic {
namespace {

// multiformats/multicodec, table.csv.
TEST(Multicodec, NamesCodecsBothWays) {
    EXPECT_EQ(name_of(Codec::raw), "raw");
    EXPECT_EQ(name_of(Codec::dag_pb), "dag-pb");
    EXPECT_EQ(name_of(Codec::dag_json), "dag-json");
    EXPECT_EQ(name_of(Codec::json), "json");
    EXPECT_EQ(codec_named("dag-cbor"), Codec::dag_cbor);
    EXPECT_EQ(codec_named("git-raw"), Codec{0x78});
    EXPECT_EQ(codec_named("cbor"), Codec::cbor);
}

TEST(Multicodec, TakesNumbersOfKnownCodecs) {
    EXPECT_EQ(codec_named("0x71"), Codec::dag_cbor);
    EXPECT_EQ(codec_named("85"), Codec::raw);
    EXPECT_EQ(codec_named("0x123456"), std::nullopt);
    EXPECT_EQ(codec_named("0x"), std::nullopt);
    EXPECT_EQ(codec_named(""), std::nullopt);
    EXPECT_EQ(codec_named("DAG-CBOR"), std::nullopt);
}

TEST(Multicodec, GivesTheNumberOfACodecWithoutAName) {
    EXPECT_EQ(name_of(Codec{0x123456}), "Code(1193046)"); // As Go prints multicodec.Code.
}

TEST(Multicodec, NamesHashFunctionsAndBases) {
    EXPECT_EQ(name_of(HashCode::sha2_512), "sha2-512");
    EXPECT_EQ(hash_named("blake3"), HashCode::blake3);
    EXPECT_EQ(hash_named("0x12"), HashCode::sha2_256);
    EXPECT_EQ(hash_named("md5"), std::nullopt);
    EXPECT_EQ(name_of(Base::base64url_pad), "base64urlpad");
    EXPECT_EQ(base_named("base36upper"), Base::base36_upper);
    EXPECT_EQ(base_named("base3"), std::nullopt);
}

} // namespace
} // namespace ic
