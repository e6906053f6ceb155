#include "ipld/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace ic {
namespace {

// RFC 3629: section 7 for the good ones, section 3 and 4 for the bad ones.
TEST(Utf8, AcceptsTheExamplesAndTheEndsOfEveryRange) {
    for (const std::string_view text : {"",
                                        "abc",
                                        "\x41\xe2\x89\xa2\xce\x91\x2e",
                                        "\xed\x95\x9c",
                                        "\xf0\xa3\x8e\xb4",
                                        "\x7f",
                                        "\xc2\x80",
                                        "\xdf\xbf",
                                        "\xe0\xa0\x80",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xef\xbf\xbf",
                                        "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(is_utf8(text));
    }
    EXPECT_TRUE(is_utf8(std::string_view{"\0", 1}));
}

TEST(Utf8, RejectsLongFormsSurrogatesAndWhatIsTooLarge) {
    for (const std::string_view text : {"\xc0\x80",
                                        "\xc1\xbf",
                                        "\xe0\x9f\xbf",
                                        "\xf0\x8f\xbf\xbf",
                                        "\xed\xa0\x80",
                                        "\xed\xbf\xbf",
                                        "\xf4\x90\x80\x80",
                                        "\xf5\x80\x80\x80",
                                        "\xff",
                                        "\x80",
                                        "a\xbf"}) {
        EXPECT_FALSE(is_utf8(text));
    }
}

TEST(Utf8, RejectsEveryProperPrefixOfOneCharacter) {
    for (const std::string_view text : {"\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80"}) {
        for (std::size_t size = 1; size < text.size(); ++size) {
            EXPECT_FALSE(is_utf8(text.substr(0, size)));
            EXPECT_FALSE(is_utf8(std::string(text.substr(0, size)) + "a"));
        }
    }
}

TEST(Utf8, RepairReplacesBadBytesAlone) {
    EXPECT_EQ(repaired_utf8("caf\xc3\xa9"), "caf\xc3\xa9");
    EXPECT_EQ(repaired_utf8("caf\xe9!"), "caf\xef\xbf\xbd!");
    EXPECT_EQ(repaired_utf8("\xe0\xa0"), "\xef\xbf\xbd\xef\xbf\xbd");
    EXPECT_TRUE(is_utf8(repaired_utf8("\xff\xc0\x80\xed\xa0\x80 \xf4")));
}

TEST(Utf8, AppendsWhatIsCountedBack) {
    for (const std::uint32_t code : {0x0U,
                                     0x41U,
                                     0x7fU,
                                     0x80U,
                                     0x7ffU,
                                     0x800U,
                                     0xd7ffU,
                                     0xe000U,
                                     0xffffU,
                                     0x10000U,
                                     0x10ffffU}) {
        std::string text;
        append_utf8(text, code);
        EXPECT_EQ(utf8_character_bytes(text), text.size()) << code;
    }
    std::string text;
    append_utf8(text, 0x1f600);
    EXPECT_EQ(text, "\U0001F600");
}

} // namespace
} // namespace ic
