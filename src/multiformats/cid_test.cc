#include "multiformats/cid.h"
#include "multiformats/multibase.h"
#include "multiformats/multihash.h"

#include <gtest/gtest.h>

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

} // namespace
} // namespace ic
