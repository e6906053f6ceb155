#include "worker/health.h"

#include <gtest/gtest.h>

namespace ic::worker {
namespace {

using namespace std::chrono_literals;

TEST(Health, PausesTwiceAsLongEachTime) {
    Health health;
    EXPECT_EQ(health.slots(4), 4U);
    for (const auto pause : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
        EXPECT_TRUE(health.fails_with(Kept::failed));
        EXPECT_EQ(health.pause(), pause);
        EXPECT_EQ(health.slots(4), 0U);
        health.pause_is_over();
        EXPECT_EQ(health.slots(4), 1U) << "one, to see";
    }
}

TEST(Health, IsGoodAgainWithResultsThatWereKept) {
    Health health;
    health.fails_with(Kept::failed);
    health.pause_is_over();
    EXPECT_FALSE(health.fails_with(Kept::nothing));
    EXPECT_EQ(health.slots(4), 1U) << "a run without results says nothing";
    EXPECT_FALSE(health.fails_with(Kept::results));
    EXPECT_EQ(health.slots(4), 4U);
    EXPECT_TRUE(health.fails_with(Kept::failed));
    EXPECT_EQ(health.pause(), 1s);
}

// Several ran when it began.
TEST(Health, PausesOnceForRunsThatFailTogether) {
    Health health;
    EXPECT_TRUE(health.fails_with(Kept::failed));
    EXPECT_FALSE(health.fails_with(Kept::failed));
    EXPECT_FALSE(health.fails_with(Kept::results)) << "it had begun before";
    EXPECT_EQ(health.pause(), 1s);
    EXPECT_EQ(health.slots(4), 0U);
}

TEST(Health, GivesNoSlotWhereThereIsNone) {
    Health health;
    health.fails_with(Kept::failed);
    health.pause_is_over();
    EXPECT_EQ(health.slots(0), 0U);
}

} // namespace
} // namespace ic::worker
