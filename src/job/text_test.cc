#include "job/text.h"

#include <gtest/gtest.h>

namespace ic::job {
namespace {

TEST(FitText, LeavesGoodTextAlone) { EXPECT_EQ(fit_text("na\xc3\xafve", 6), "na\xc3\xafve"); }

TEST(FitText, CutsBetweenCharacters) {
    EXPECT_EQ(fit_text("na\xc3\xafve", 5), "na\xc3\xafv");
    EXPECT_EQ(fit_text("na\xc3\xafve", 3), "na");
    EXPECT_EQ(fit_text("\xf0\x9f\x8c\x8d", 3), "");
    EXPECT_EQ(fit_text("abc", 0), "");
}

TEST(FitText, PutsAMarkForEachByteThatIsNoCharacter) {
    EXPECT_EQ(fit_text("a\xff\xfe"
                       "b\xc3",
                       10),
              "a??b?");
}

} // namespace
} // namespace ic::job
