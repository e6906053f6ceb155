/// The protocol in a world of faults: no seed breaks a law, every planted bug breaks one.

#include "sim/faults.h"
#include "sim/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace ic::sim {
namespace {

/// A bug is looked for in so many seeds, so that a test runs for a bounded time only.
constexpr std::uint64_t seeds_for_a_bug = 4'000;
constexpr std::uint64_t clean_shares = 10;

/// `IC_LONG=1`: all that are promised to be clean.
std::uint64_t clean_seeds() { return std::getenv("IC_LONG") != nullptr ? 10'000 : 2'000; }

class CleanSeeds : public testing::TestWithParam<std::uint64_t> {};

TEST_P(CleanSeeds, ViolateNothing) {
    const std::uint64_t share = clean_seeds() / clean_shares;
    for (std::uint64_t i = 1; i <= share; ++i) {
        const std::uint64_t seed = GetParam() * share + i;
        const Report report = simulate(seed);
        ASSERT_TRUE(report.violations.empty())
            << report.violations.front() << "\nreplay: sim --trace --seed " << seed;
    }
}

INSTANTIATE_TEST_SUITE_P(Simulation, CleanSeeds, testing::Range<std::uint64_t>(0, clean_shares));

class PlantedBugs : public testing::TestWithParam<NamedFault> {};

TEST_P(PlantedBugs, AreFound) {
    const Planted planted(GetParam().fault);
    for (std::uint64_t seed = 1; seed <= seeds_for_a_bug; ++seed) {
        const Report report = simulate(seed);
        if (!report.violations.empty()) {
            RecordProperty("found_at_seed", std::to_string(seed));
            return;
        }
    }
    FAIL() << "no seed of " << seeds_for_a_bug << " shows it";
}

INSTANTIATE_TEST_SUITE_P(Simulation,
                         PlantedBugs,
                         testing::ValuesIn(all_faults()),
                         [](const auto& bug) { return std::string(bug.param.name); });

TEST(Simulation, ReplaysASeedToTheSameTrace) {
    const Play traced{.tracing = Tracing::on};
    for (std::uint64_t seed = 1; seed <= 2 * all_profiles().size(); ++seed) {
        const Report first = simulate(seed, traced);
        const Report second = simulate(seed, traced);
        EXPECT_EQ(first.trace_hash, second.trace_hash);
        EXPECT_EQ(first.trace, second.trace);
        EXPECT_NE(first.trace_hash, simulate(seed + 1).trace_hash);
    }
}

TEST(Simulation, ReachesWhatItIsMeantToTest) {
    Report sums;
    for (std::uint64_t seed = 1; seed <= 10 * all_profiles().size(); ++seed) {
        const Report report = simulate(seed);
        sums.runs += report.runs;
        sums.grants += report.grants;
        sums.adoptions += report.adoptions;
        sums.cut_messages += report.cut_messages;
        sums.foreign_messages += report.foreign_messages;
        sums.refused_messages += report.refused_messages;
        for (std::size_t kind = 0; kind < upset_kinds; ++kind) {
            sums.upsets_of[kind] += report.upsets_of[kind];
        }
    }
    EXPECT_GT(sums.runs, 1'000U);
    EXPECT_GT(sums.grants, sums.runs) << "some grants are lost or handed back";
    EXPECT_GT(sums.adoptions, 100U);
    EXPECT_GT(sums.cut_messages, 1'000U);
    EXPECT_GT(sums.foreign_messages, 1'000U);
    EXPECT_GT(sums.refused_messages, 100U);
    for (std::size_t kind = 0; kind < upset_kinds; ++kind) {
        EXPECT_GT(sums.upsets_of[kind], 5U) << name(static_cast<Upset>(kind));
    }
}

TEST(Simulation, FailsWithFewerUpsetsOnceMinimised) {
    const Planted planted(lease::Fault::forget_on_adopt);
    std::uint64_t seed = 1;
    while (simulate(seed).violations.empty()) {
        ++seed;
    }
    Play play;
    play.without = superfluous(seed);
    const Report report = simulate(seed, play);
    EXPECT_FALSE(report.violations.empty());
    EXPECT_LT(report.upsets.size(), simulate(seed).upsets.size());
    for (const std::size_t needed : report.upsets) {
        Play less = play;
        less.without.insert(needed);
        EXPECT_TRUE(simulate(seed, less).violations.empty()) << needed;
    }
}

} // namespace
} // namespace ic::sim
