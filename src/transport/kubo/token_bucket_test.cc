#include "transport/kubo/token_bucket.h"

#include <gtest/gtest.h>

namespace ic::transport {
namespace {

using namespace std::chrono_literals;

constexpr TokenBucket::Rate rate{.per_second = 4, .at_once = 2};

TEST(TokenBucket, GivesSoManyAtOnceAndSoManyASecond) {
    const Instant start = Instant{} + 1h;
    TokenBucket bucket(rate, start);
    EXPECT_TRUE(bucket.take(start));
    EXPECT_TRUE(bucket.take(start));
    EXPECT_FALSE(bucket.take(start));
    EXPECT_FALSE(bucket.take(start + 249ms));
    EXPECT_TRUE(bucket.take(start + 250ms));
    EXPECT_FALSE(bucket.take(start + 250ms));
}

TEST(TokenBucket, HoldsNoMoreThanAtOnceHoweverLongItRests) {
    const Instant start = Instant{} + 1h;
    TokenBucket bucket(rate, start);
    const Instant later = start + 24h * 365 * 100;
    EXPECT_TRUE(bucket.take(later));
    EXPECT_TRUE(bucket.take(later));
    EXPECT_FALSE(bucket.take(later));
}

TEST(TokenBucket, LosesNoFractions) {
    Instant now = Instant{} + 1h;
    TokenBucket bucket(rate, now);
    EXPECT_TRUE(bucket.take(now));
    EXPECT_TRUE(bucket.take(now));
    int taken = 0;
    for (int step = 0; step < 10'000; ++step) {
        now = now + 1ms;
        taken += bucket.take(now) ? 1 : 0;
    }
    EXPECT_EQ(taken, 40);
}

} // namespace
} // namespace ic::transport
