#include "base/text.h"

#include <gtest/gtest.h>

#include <vector>

namespace ic {
namespace {

TEST(Printable, EscapesWhatSteersATerminalAndKeepsTheRest) {
    EXPECT_EQ(printable("a\nb\x1b[2J\x7f"), "a\\x0ab\\x1b[2J\\x7f");
    EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b") << "C1 control sequence introducer";
    EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
}

TEST(HumanBytes, KeepsToThreeDigits) {
    EXPECT_EQ(human_bytes(0), "0 B");
    EXPECT_EQ(human_bytes(1023), "1023 B");
    EXPECT_EQ(human_bytes(1536), "1.5 KiB");
    EXPECT_EQ(human_bytes(1024 * 1023), "1.0 MiB");
    EXPECT_EQ(human_bytes(12U << 20U), "12 MiB");
    EXPECT_EQ(human_bytes(~std::uint64_t{0}), "16 EiB");
}

TEST(ClosestWord, FindsWhatWasMeantAndNothingFarAway) {
    const std::vector<std::string> words{"add", "cat", "version", "config"};
    EXPECT_EQ(closest_word("ad", words), "add");
    EXPECT_EQ(closest_word("tac", words), "") << "three letters allow one edit";
    EXPECT_EQ(closest_word("act", words), "cat") << "a swap of neighbours is one edit";
    EXPECT_EQ(closest_word("verison", words), "version");
    EXPECT_EQ(closest_word("zebra", words), "");
    EXPECT_EQ(closest_word(std::string(65, 'a'), words), "");
}

// As Kubo 0.43 escapes names (core/commands/cmdenv, EscNonPrint).
TEST(Text, PrintsNamesAsKuboDoes) {
    EXPECT_EQ(kubo_printable("a \"b\" \xc3\xa9"), "a \"b\" \xc3\xa9");
    EXPECT_EQ(kubo_printable("two\nlines\x01\x7f"), R"(two\nlines\x01\x7f)");
    EXPECT_EQ(kubo_printable("back\\slash \"q\""), R"(back\\slash "q")");
    EXPECT_EQ(kubo_printable("\xff"), "\xff") << "bytes that are no UTF-8 alone change nothing";
    EXPECT_EQ(kubo_printable("\xff\t"), R"(\xff\t)");
    EXPECT_EQ(kubo_printable("zero\xe2\x80\x8bwidth"), R"(zero\u200bwidth)");
    EXPECT_EQ(kubo_printable("\xf3\xa0\x80\x81"), R"(\U000e0001)");
    EXPECT_EQ(kubo_printable("\xc2\xa0"), R"(\u00a0)");
}

} // namespace
} // namespace ic
