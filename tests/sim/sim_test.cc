/// The protocol in a world of faults: no seed breaks a law, every planted bug breaks one.

#include "sim/faults.h"
#include "sim/simulation.h"

#include <gtest/gtest.h>

#include <string>

namespace ic::sim {
namespace {

constexpr std::uint64_t seeds = 2'000;
/// A bug is looked for in shares of the seeds, so that a test runs for a bounded time only.
constexpr std::uint64_t clean_shares = 10;

class CleanSeeds : public testing::TestWithParam<std::uint64_t> {};

TEST_P(CleanSeeds, ViolateNothing) {
    const std::uint64_t share = seeds / clean_shares;
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
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const Report report = simulate(seed);
        if (!report.violations.empty()) {
            RecordProperty("found_at_seed", std::to_string(seed));
            return;
        }
    }
    FAIL() << "no seed of " << seeds << " shows it";
}

INSTANTIATE_TEST_SUITE_P(Simulation,
                         PlantedBugs,
                         testing::ValuesIn(all_faults()),
                         [](const auto& bug) { return std::string(bug.param.name); });

TEST(Simulation, ReplaysASeedToTheSameTrace) {
    for (std::uint64_t seed = 1; seed <= 22; ++seed) {
        const Report first = simulate(seed, Tracing::on);
        const Report second = simulate(seed, Tracing::on);
        EXPECT_EQ(first.trace_hash, second.trace_hash);
        EXPECT_EQ(first.trace, second.trace);
        EXPECT_NE(first.trace_hash, simulate(seed + 1).trace_hash);
    }
}

TEST(Simulation, ReachesWhatItIsMeantToTest) {
    std::size_t runs = 0;
    std::size_t adoptions = 0;
    std::size_t grants = 0;
    for (std::uint64_t seed = 1; seed <= 44; ++seed) {
        const Report report = simulate(seed);
        runs += report.runs;
        grants += report.grants;
        adoptions += report.adoptions;
    }
    EXPECT_GT(runs, 300U);
    EXPECT_GT(grants, runs) << "some grants are lost or handed back";
    EXPECT_GT(adoptions, 20U);
}

} // namespace
} // namespace ic::sim
