#include "multiformats/multibase.h"

#include <gtest/gtest.h>

namespace ic {
namespace {

constexpr Base all_bases[] = {Base::base16,
                              Base::base16_upper,
                              Base::base32,
                              Base::base32_upper,
                              Base::base36,
                              Base::base36_upper,
                              Base::base58btc,
                              Base::base64,
                              Base::base64_pad,
                              Base::base64url,
                              Base::base64url_pad};

Errc error_of(std::string_view text) {
    const Result<Bytes> bytes = multibase::decode(text);
    EXPECT_FALSE(bytes) << text;
    return bytes ? Errc::internal : bytes.error().code;
}

struct Vector {
    std::string_view text;
    std::string_view plain;
};

// multiformats/multibase, tests/basic.csv and tests/leading_zero.csv.
TEST(Multibase, EncodesAndDecodesTheVectorsOfTheSpecification) {
    const std::string_view plain = "yes mani !";
    const std::string_view zero{"\0yes mani !", 11};
    const Vector vectors[] = {
        {"f796573206d616e692021", plain},
        {"F796573206D616E692021", plain},
        {"bpfsxgidnmfxgsibb", plain},
        {"BPFSXGIDNMFXGSIBB", plain},
        {"k2lcpzo5yikidynfl", plain},
        {"K2LCPZO5YIKIDYNFL", plain},
        {"z7paNL19xttacUY", plain},
        {"meWVzIG1hbmkgIQ", plain},
        {"MeWVzIG1hbmkgIQ==", plain},
        {"ueWVzIG1hbmkgIQ", plain},
        {"UeWVzIG1hbmkgIQ==", plain},
        {"f00796573206d616e692021", zero},
        {"bab4wk4zanvqw42jaee", zero},
        {"k02lcpzo5yikidynfl", zero},
        {"z17paNL19xttacUY", zero},
        {"mAHllcyBtYW5pICE", zero},
    };
    for (const Vector& vector : vectors) {
        EXPECT_EQ(multibase::encode(Base{vector.text.front()}, bytes_of(vector.plain)),
                  vector.text);
        const Result<Bytes> bytes = multibase::decode(vector.text);
        ASSERT_TRUE(bytes) << vector.text << ": " << bytes.error().message;
        EXPECT_EQ(text_of(*bytes), vector.plain);
    }
}

TEST(Multibase, ComesBackFromEveryBaseAtEveryLength) {
    Bytes bytes{0, 0};
    for (std::uint8_t next = 0xff; bytes.size() < 40; next = static_cast<std::uint8_t>(next * 7)) {
        for (const Base base : all_bases) {
            const Result<Bytes> again = multibase::decode(multibase::encode(base, bytes));
            ASSERT_TRUE(again) << again.error().message;
            EXPECT_EQ(*again, bytes);
        }
        bytes.push_back(next);
    }
}

TEST(Multibase, DecodesThePrefixAloneAsNothing) {
    for (const Base base : all_bases) {
        const Result<Bytes> bytes = multibase::decode(std::string(1, static_cast<char>(base)));
        ASSERT_TRUE(bytes);
        EXPECT_TRUE(bytes->empty());
    }
}

TEST(Multibase, DecodeRejectsTextWithoutAKnownPrefix) {
    EXPECT_EQ(error_of(""), Errc::malformed);
    EXPECT_EQ(error_of("7362625"), Errc::unsupported);
}

TEST(Multibase, DecodeRejectsCharactersOutsideTheBase) {
    for (const std::string_view text : {"f0g",
                                        "fFF",
                                        "Fff",
                                        "bAA",
                                        "Baa",
                                        "b11",
                                        "kAA",
                                        "Kaa",
                                        "z0O",
                                        "zIl",
                                        "m-_",
                                        "u+/",
                                        "mAA AA",
                                        "uAA=",
                                        "f0"}) {
        EXPECT_EQ(error_of(text), Errc::malformed) << text;
    }
}

TEST(Multibase, DecodeRejectsUnusedBitsThatAreNotZero) {
    EXPECT_EQ(error_of("bab"), Errc::malformed); // "baa" is one zero byte.
    EXPECT_EQ(error_of("mAB"), Errc::malformed);
    EXPECT_EQ(error_of("uAAB"), Errc::malformed);
}

TEST(Multibase, DecodeRejectsADigitThatGivesNoByte) {
    EXPECT_EQ(error_of("ba"), Errc::malformed);
    EXPECT_EQ(error_of("baaa"), Errc::malformed);
    EXPECT_EQ(error_of("mA"), Errc::malformed);
    EXPECT_EQ(error_of("mAAAAA"), Errc::malformed);
}

TEST(Multibase, DecodeRejectsPaddingThatIsNotExact) {
    for (const std::string_view text :
         {"MAA", "MAAA", "MA===", "MAA=A", "M====", "M=", "MAAAA===="}) {
        EXPECT_EQ(error_of(text), Errc::malformed) << text;
    }
}

TEST(Multibase, DecodeRejectsOneCharacterBeyondThePositionalLimit) {
    const std::string longest(limits::positional_text_bytes_max, '1');
    EXPECT_TRUE(multibase::decode("z" + longest));
    EXPECT_EQ(error_of("z1" + longest), Errc::too_large);
    EXPECT_EQ(error_of("k1" + longest), Errc::too_large);
    EXPECT_TRUE(multibase::decode("f11" + longest)); // Linear bases have no limit.
}

} // namespace
} // namespace ic
