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

} // namespace
} // namespace ic
