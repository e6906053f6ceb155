#include "base/json_text.h"

#include <gtest/gtest.h>

namespace ic {
namespace {

std::string quoted(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

// RFC 8259, section 7: quotation mark, reverse solidus and U+0000 to U+001F must be escaped.
TEST(JsonString, EscapesWhatMayNotStandInAString) {
    EXPECT_EQ(quoted(""), "\"\"");
    EXPECT_EQ(quoted("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(quoted(std::string_view("\0\n\x1f", 3)), R"("\u0000\n\u001f")");
    EXPECT_EQ(quoted("gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x9f"),
              "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x90\x9f\"");
}

TEST(JsonString, LeavesNothingThatSteersATerminal) {
    EXPECT_EQ(quoted("\x1b[2J\x7f"), R"("\u001b[2J\u007f")");
    EXPECT_EQ(quoted("\xc2\x9b"), R"("\u009b")") << "C1 control sequence introducer";
}

// RFC 3629, section 3: no overlong form, no surrogate, nothing above U+10FFFF.
TEST(JsonString, ReplacesEachByteThatIsNoUtf8) {
    const std::string bad = "\xef\xbf\xbd";
    EXPECT_EQ(quoted("\xff"), "\"" + bad + "\"");
    EXPECT_EQ(quoted("a\xc3"), "\"a" + bad + "\"") << "cut off";
    EXPECT_EQ(quoted("\xc0\xaf"), "\"" + bad + bad + "\"") << "overlong";
    EXPECT_EQ(quoted("\xed\xa0\x80"), "\"" + bad + bad + bad + "\"") << "a surrogate";
    EXPECT_EQ(quoted("\xf4\x90\x80\x80"), "\"" + bad + bad + bad + bad + "\"") << "too far up";
}

} // namespace
} // namespace ic
