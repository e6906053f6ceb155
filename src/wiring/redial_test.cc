#include "wiring/redial.h"

#include <gtest/gtest.h>

namespace ic::wiring {
namespace {

using namespace std::chrono_literals;
using Outcome = Redial::Outcome;

const Instant start{1000s};
const RedialTiming timing{.connected = 60s, .first = 2s, .longest = 300s};

Redial redial_of(std::vector<std::vector<std::string>> peers) {
    Redial redial(timing);
    redial.replace(std::move(peers), start);
    return redial;
}

TEST(Redial, DialsEachAtOnceAndOnlyOnceAtATime) {
    Redial redial = redial_of({{"/a", "/b"}, {}, {"/c"}});
    EXPECT_EQ(redial.next(), start);
    const auto first = redial.take(start);
    const auto second = redial.take(start);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->addresses, (std::vector<std::string>{"/a", "/b"}));
    EXPECT_EQ(second->addresses, (std::vector<std::string>{"/c"}));
    EXPECT_FALSE(redial.take(start + 1h)) << "both are being dialled";
    EXPECT_EQ(redial.next(), Instant::never());
}

TEST(Redial, WaitsLongerAfterEachFailureUpToTheLongest) {
    Redial redial = redial_of({{"/a"}});
    Instant now = start;
    for (const std::chrono::seconds pause : {2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s, 300s, 300s}) {
        const auto due = redial.take(now);
        ASSERT_TRUE(due);
        redial.dialled(due->peer, Outcome::failed, now, 0);
        EXPECT_EQ(redial.next() - now, pause);
        EXPECT_FALSE(redial.take(redial.next() - 1ns));
        now = redial.next();
    }
}

TEST(Redial, LooksAfterThoseThatAreConnectedAndForgetsTheirFailures) {
    Redial redial = redial_of({{"/a"}});
    redial.dialled(redial.take(start)->peer, Outcome::failed, start, 0);
    const Instant again = redial.next();
    redial.dialled(redial.take(again)->peer, Outcome::connected, again, 0);
    EXPECT_EQ(redial.next() - again, 60s);
    const Instant later = redial.next();
    redial.dialled(redial.take(later)->peer, Outcome::failed, later, 0);
    EXPECT_EQ(redial.next() - later, 2s);
}

TEST(Redial, StartsOverWithAllOfThemWhoeverFailedBefore) {
    Redial redial = redial_of({{"/a"}, {"/b"}, {"/c"}});
    const auto a = redial.take(start);
    const auto b = redial.take(start);
    const auto c = redial.take(start);
    redial.dialled(a->peer, Outcome::failed, start, 0);
    redial.dialled(b->peer, Outcome::connected, start, 0);
    redial.dialled(redial.take(start + 2s)->peer, Outcome::failed, start + 2s, 0);
    redial.start_over(start + 3s);
    EXPECT_EQ(redial.next(), start + 3s);
    EXPECT_EQ(redial.take(start + 3s)->addresses, std::vector<std::string>{"/a"});
    EXPECT_EQ(redial.take(start + 3s)->addresses, std::vector<std::string>{"/b"});
    EXPECT_FALSE(redial.take(start + 3s)) << "the third is being dialled still";
    redial.dialled(a->peer, Outcome::failed, start + 3s, 0);
    EXPECT_EQ(redial.next() - start, 5s) << "as after its first failure";
    redial.dialled(c->peer, Outcome::failed, start + 4s, 0);
    EXPECT_EQ(redial.next() - start, 5s);
}

TEST(Redial, ComesEarlierByAQuarterAtMost) {
    for (const std::uint64_t random : {0ULL, 1ULL, 14'999ULL, 15'000ULL, ~0ULL}) {
        Redial redial = redial_of({{"/a"}});
        redial.dialled(redial.take(start)->peer, Outcome::connected, start, random);
        EXPECT_LE(redial.next() - start, 60s);
        EXPECT_GE(redial.next() - start, 45s);
    }
}

TEST(Redial, OfNobodyIsNeverDue) {
    Redial redial = redial_of({});
    EXPECT_FALSE(redial.take(start));
    EXPECT_EQ(redial.next(), Instant::never());
}

TEST(Redial, TakesUpNewOnesAtOnceAndLeavesTheOthersAsTheyWere) {
    Redial redial = redial_of({{"/a"}, {"/b"}});
    const auto a = redial.take(start);
    const auto b = redial.take(start);
    redial.dialled(a->peer, Outcome::failed, start, 0);
    // While the other is being dialled it goes, and one comes.
    redial.replace({{"/c"}, {"/a"}}, start + 1s);
    redial.dialled(b->peer, Outcome::connected, start + 1s, 0);
    EXPECT_EQ(redial.take(start + 1s)->addresses, std::vector<std::string>{"/c"});
    EXPECT_FALSE(redial.take(start + 1s));
    EXPECT_EQ(redial.next() - start, 2s) << "what failed before still waits";
    redial.replace({}, start + 1s);
    EXPECT_EQ(redial.next(), Instant::never());
}

TEST(Redial, DialsTheOneFirstThatWaitsForLongest) {
    Redial redial = redial_of({{"/a"}, {"/b"}});
    const auto a = redial.take(start);
    const auto b = redial.take(start);
    redial.dialled(b->peer, Outcome::failed, start, 0);
    redial.dialled(a->peer, Outcome::failed, start + 1s, 0);
    EXPECT_EQ(redial.take(start + 10s)->addresses, std::vector<std::string>{"/b"});
    EXPECT_EQ(redial.take(start + 10s)->addresses, std::vector<std::string>{"/a"});
}

} // namespace
} // namespace ic::wiring
