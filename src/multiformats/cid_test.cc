#include "multiformats/cid.h"
#include "multiformats/multibase.h"
#include "multiformats/multihash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <unordered_set>

namespace ic {
namespace {

// The CID that Kubo gives to "hello world" added in each profile (IPIP-0499, "small" fixtures).
constexpr std::string_view hello_v1 = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
constexpr std::string_view hello_v0 = "Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD";

Cid parsed(std::string_view text) {
    Result<Cid> cid = Cid::parse(text);
    EXPECT_TRUE(cid) << text << ": " << (cid ? "" : cid.error().message);
    return cid ? std::move(cid).take() : Cid{};
}

TEST(Cid, NamesTheSameBytesAsKubo) {
    const Cid cid = cid_of(Codec::raw, bytes_of("hello world"));
    EXPECT_EQ(cid.to_string(), hello_v1);
    EXPECT_EQ(parsed(hello_v1), cid);
    EXPECT_EQ(cid.version(), 1);
    EXPECT_EQ(cid.codec(), Codec::raw);
    EXPECT_EQ(cid.hash(), HashCode::sha2_256);
    EXPECT_EQ(cid.digest().size(), 32U);
    EXPECT_EQ(to_hex(cid.bytes().first(4)), "01551220");
}

TEST(Cid, DefaultIsTheEmptyIdentityCid) {
    EXPECT_EQ(Cid{}.to_string(), "bafkqaaa");
    EXPECT_EQ(parsed("bafkqaaa"), Cid{});
    EXPECT_TRUE(Cid{}.verify({}));
}

TEST(Cid, KeepsVersionZeroAndNamesItAsVersionOne) {
    const Cid cid = parsed(hello_v0);
    EXPECT_EQ(cid.version(), 0);
    EXPECT_EQ(cid.codec(), Codec::dag_pb);
    EXPECT_EQ(cid.bytes().size(), 34U);
    EXPECT_EQ(cid.to_string(), hello_v0);
    const Cid v1 = cid.as_v1();
    EXPECT_EQ(v1.version(), 1);
    EXPECT_EQ(v1.codec(), Codec::dag_pb);
    EXPECT_TRUE(std::ranges::equal(v1.multihash(), cid.multihash()));
    EXPECT_NE(v1, cid);
    EXPECT_EQ(v1.as_v1(), v1);
    EXPECT_EQ(Cid::v0(cid.digest()), cid);
}

Errc parse_error(std::string_view text) {
    const Result<Cid> cid = Cid::parse(text);
    EXPECT_FALSE(cid) << text;
    return cid ? Errc::internal : cid.error().code;
}

TEST(Cid, ParsesEveryBaseButPrintsBase32) {
    const Cid cid = parsed(hello_v1);
    for (const Base base : {Base::base16,
                            Base::base16_upper,
                            Base::base32_upper,
                            Base::base36,
                            Base::base58btc,
                            Base::base64,
                            Base::base64url_pad}) {
        const Cid again = parsed(multibase::encode(base, cid.bytes()));
        EXPECT_EQ(again, cid);
        EXPECT_EQ(again.to_string(), hello_v1);
    }
}

TEST(Cid, KeepsIdentityCidsOfAnyLength) {
    for (const std::size_t size : {0U, 35U, 36U, 37U, 127U, 128U}) {
        const Bytes digest(size, 0xa5);
        const Cid cid = Cid::v1(Codec::libp2p_key, HashCode::identity, digest);
        EXPECT_EQ(cid.hash(), HashCode::identity);
        EXPECT_EQ(cid.codec(), Codec::libp2p_key);
        EXPECT_TRUE(std::ranges::equal(cid.digest(), digest));
        EXPECT_EQ(parsed(cid.to_string()), cid);
        EXPECT_TRUE(cid.verify(digest));
        Cid copy;
        copy = cid;
        EXPECT_EQ(copy, cid);
    }
}

TEST(Cid, KeepsCodecsItDoesNotKnow) {
    const Codec unknown{0x0123'4567'89ab};
    const Cid cid = Cid::v1(unknown, HashCode::sha2_256, sha2_256({}));
    EXPECT_EQ(cid.codec(), unknown);
    EXPECT_EQ(parsed(cid.to_string()), cid);
}

TEST(Cid, VerifyTellsTheBytesFromOthers) {
    for (const std::string_view text : {hello_v1, std::string_view{"bafkqac3imvwgy3zao5xxe3de"}}) {
        const Cid cid = parsed(text);
        EXPECT_TRUE(cid.verify(bytes_of("hello world"))) << text;
        EXPECT_EQ(cid.verify(bytes_of("hello worlds")).error().code, Errc::hash_mismatch) << text;
    }
}

TEST(Cid, IsMadeWithEveryFunction) {
    const ByteView data = bytes_of("some bytes");
    for (const HashCode hash :
         {HashCode::identity, HashCode::sha2_256, HashCode::sha2_512, HashCode::blake3}) {
        const Cid cid = cid_of(Codec::dag_pb, hash, data);
        EXPECT_EQ(cid.version(), 1);
        EXPECT_EQ(cid.codec(), Codec::dag_pb);
        EXPECT_EQ(cid.hash(), hash);
        EXPECT_TRUE(cid.verify(data));
        EXPECT_EQ(cid.verify(bytes_of("other bytes")).error().code, Errc::hash_mismatch);
        EXPECT_EQ(Cid::parse(cid.to_string()).take(), cid);
    }
}

TEST(Cid, ParseRejectsWhatIsNoCid) {
    for (const std::string_view text : {
             "",
             "b",
             "Qm",
             "hello",
             "Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyf",   // One character short.
             "Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfDD", // One too many.
             "Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyf0",  // Outside base58.
             "zQmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD", // Version 0 with a prefix.
             "f1220b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
             "f00551200",
             "f02550000",
             "f0155000000",
         }) {
        const Errc error = parse_error(text);
        EXPECT_TRUE(error == Errc::malformed || error == Errc::unsupported) << text;
    }
    EXPECT_EQ(parse_error("f01551114" + std::string(40, '0')), Errc::unsupported); // SHA-1
}

TEST(Cid, ParseRejectsOneByteBeyondTheLongest) {
    std::string text = "f01ffffffffffffffff7f008001"; // A codec of 9 bytes, an identity of 128.
    text += std::string(2 * limits::cid_digest_bytes_max, '0');
    ASSERT_EQ(text.size(), limits::cid_text_bytes_max);
    EXPECT_EQ(parsed(text).bytes().size(), limits::cid_bytes_max);
    EXPECT_EQ(parse_error(text + "00"), Errc::too_large);
}

TEST(Cid, TakeRejectsEveryProperPrefixAndLeavesTheRest) {
    for (const std::string_view text : {hello_v0, hello_v1}) {
        const Cid cid = parsed(text);
        Bytes bytes = copy_of(cid.bytes());
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            ByteView prefix = ByteView{bytes}.first(size);
            EXPECT_EQ(Cid::take(prefix).error().code, Errc::malformed) << size;
            EXPECT_EQ(prefix.size(), size) << "a failed read must not consume input";
        }
        bytes.push_back(0xff);
        EXPECT_EQ(Cid::from_bytes(bytes).error().code, Errc::malformed);
        ByteView rest{bytes};
        EXPECT_EQ(*Cid::take(rest), cid);
        EXPECT_EQ(rest.size(), 1U);
    }
}

TEST(Cid, OrdersAndHashesByItsBytes) {
    const Cid a = cid_of(Codec::raw, bytes_of("a"));
    const Cid b = cid_of(Codec::dag_cbor, bytes_of("a"));
    EXPECT_NE(a, b);
    EXPECT_LT(a, b); // 0x55 before 0x71.
    const std::unordered_set<Cid> set{a, b, a, Cid{}};
    EXPECT_EQ(set.size(), 3U);
    EXPECT_TRUE(set.contains(parsed(b.to_string())));
}

} // namespace
} // namespace ic
