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

// Long division on single digits, as it is taught: what the groups of digits must agree with.
std::string digits_by_long_division(Bytes number, std::string_view alphabet) {
    std::string text;
    while (!number.empty()) {
        Bytes quotient;
        std::size_t rest = 0;
        for (const std::uint8_t digit : number) {
            rest = rest * 256 + digit;
            if (!quotient.empty() || rest >= alphabet.size()) {
                quotient.push_back(static_cast<std::uint8_t>(rest / alphabet.size()));
            }
            rest %= alphabet.size();
        }
        text.insert(text.begin(), alphabet[rest]);
        number = quotient;
    }
    return text;
}

TEST(Multibase, PositionalBasesAgreeWithLongDivisionAtEveryLength) {
    constexpr std::string_view base36 = "0123456789abcdefghijklmnopqrstuvwxyz";
    constexpr std::string_view base58 =
        "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    for (std::size_t size = 1; size <= 40; ++size) {
        for (const unsigned step : {0U, 1U, 37U, 255U}) { // 1 0 0 ..., 1 2 3 ..., 255 254 ...
            Bytes bytes(size);
            for (std::size_t index = 0; index < size; ++index) {
                bytes[index] = static_cast<std::uint8_t>((index + 1) * step);
            }
            bytes[0] |= 1U;
            const std::string text36 = multibase::encode_bare(Base::base36, bytes);
            const std::string text58 = multibase::encode_bare(Base::base58btc, bytes);
            EXPECT_EQ(text36, digits_by_long_division(bytes, base36));
            EXPECT_EQ(text58, digits_by_long_division(bytes, base58));
            EXPECT_EQ(*multibase::decode_bare(Base::base36, text36), bytes);
            EXPECT_EQ(*multibase::decode_bare(Base::base58btc, text58), bytes);
        }
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
