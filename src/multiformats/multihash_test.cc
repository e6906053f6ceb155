#include "multiformats/multihash.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ic {
namespace {

// FIPS 180-2, appendix B.1 and C.1: the digests of "abc".
constexpr std::string_view abc_256 =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view abc_512 =
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

Bytes multihash(std::uint8_t function, std::size_t size) {
    Bytes bytes{function};
    if (size >= 0x80) {
        bytes.push_back(static_cast<std::uint8_t>(size | 0x80U));
        bytes.push_back(static_cast<std::uint8_t>(size >> 7U));
    } else {
        bytes.push_back(static_cast<std::uint8_t>(size));
    }
    bytes.insert(bytes.end(), size, 0x5a);
    return bytes;
}

Errc error_of(ByteView input) {
    const std::size_t size = input.size();
    const Result<MultihashView> view = take_multihash(input);
    EXPECT_FALSE(view);
    EXPECT_EQ(input.size(), size) << "a failed read must not consume input";
    return view ? Errc::internal : view.error().code;
}

TEST(Sha2, GivesThePublishedDigests) {
    EXPECT_EQ(to_hex(sha2_256(bytes_of("abc"))), abc_256);
    EXPECT_EQ(to_hex(sha2_512(bytes_of("abc"))), abc_512);
    EXPECT_EQ(to_hex(sha2_256({})).substr(0, 8), "e3b0c442"); // FIPS 180-2 examples, no message.
}

// BLAKE3-team/BLAKE3, test_vectors.json: the first bytes of the sequence 0, 1, ... 250, 0, ...; and
// "abc" as b3sum gives it.
TEST(Blake3, GivesThePublishedDigests) {
    Bytes input(102'400);
    for (std::size_t index = 0; index < input.size(); ++index) {
        input[index] = static_cast<std::uint8_t>(index % 251);
    }
    EXPECT_EQ(to_hex(blake3({})),
              "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
    EXPECT_EQ(to_hex(blake3(ByteView{input}.first(1))),
              "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213");
    EXPECT_EQ(to_hex(blake3(input)),
              "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085");
    EXPECT_EQ(to_hex(blake3(bytes_of("abc"))),
              "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85");
}

TEST(Sha256, TakesPiecesAndStartsAnewAfterFinish) {
    Sha256 hasher;
    hasher.update(bytes_of("a"));
    hasher.update({});
    hasher.update(bytes_of("bc"));
    EXPECT_EQ(to_hex(hasher.finish()), abc_256);
    hasher.update(bytes_of("abc"));
    EXPECT_EQ(to_hex(hasher.finish()), abc_256);
    EXPECT_EQ(hasher.finish(), sha2_256({}));
}

TEST(Multihash, ReadsWhatItWrites) {
    const Sha512Digest digest = sha2_512(bytes_of("abc"));
    Bytes bytes;
    append_multihash(bytes, HashCode::sha2_512, digest);
    append_multihash(bytes, HashCode::identity, {});
    ByteView rest{bytes};
    const MultihashView first = take_multihash(rest).take();
    EXPECT_EQ(first.hash, HashCode::sha2_512);
    EXPECT_TRUE(std::ranges::equal(first.digest, digest));
    const MultihashView second = take_multihash(rest).take();
    EXPECT_EQ(second.hash, HashCode::identity);
    EXPECT_TRUE(second.digest.empty());
    EXPECT_TRUE(rest.empty());
}

TEST(Multihash, TakeRejectsADigestThatItsFunctionDoesNotGive) {
    for (const std::size_t size : {0U, 20U, 31U, 33U, 64U}) {
        EXPECT_EQ(error_of(multihash(0x12, size)), Errc::malformed) << size;
        EXPECT_EQ(error_of(multihash(0x1e, size)), Errc::malformed) << size;
    }
    for (const std::size_t size : {0U, 32U, 63U, 65U}) {
        EXPECT_EQ(error_of(multihash(0x13, size)), Errc::malformed) << size;
    }
}

TEST(Multihash, TakeRejectsFunctionsItDoesNotKnow) {
    EXPECT_EQ(error_of(multihash(0x11, 20)), Errc::unsupported); // SHA-1
}

TEST(Multihash, TakeRejectsOneByteBeyondTheLongestDigest) {
    const Bytes longest = multihash(0x00, limits::cid_digest_bytes_max);
    ByteView rest{longest};
    EXPECT_TRUE(take_multihash(rest));
    EXPECT_EQ(error_of(multihash(0x00, limits::cid_digest_bytes_max + 1)), Errc::too_large);
}

TEST(Multihash, TakeRejectsEveryProperPrefix) {
    const Bytes whole = multihash(0x12, 32);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(error_of(ByteView{whole}.first(size)), Errc::malformed) << size;
    }
}

TEST(Multihash, VerifyTellsTheBytesFromOthers) {
    const ByteView abc = bytes_of("abc");
    const Sha256Digest sha256 = sha2_256(abc);
    const Sha512Digest sha512 = sha2_512(abc);
    const Blake3Digest by_blake3 = blake3(abc);
    for (const MultihashView& view : {MultihashView{HashCode::identity, abc},
                                      MultihashView{HashCode::sha2_256, sha256},
                                      MultihashView{HashCode::sha2_512, sha512},
                                      MultihashView{HashCode::blake3, by_blake3}}) {
        EXPECT_TRUE(verify_digest(view, abc));
        EXPECT_EQ(verify_digest(view, bytes_of("abd")).error().code, Errc::hash_mismatch);
    }
}

} // namespace
} // namespace ic
