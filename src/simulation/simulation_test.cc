#include "simulation/chart.h"
#include "simulation/network.h"
#include "simulation/simulation.h"

#include <gtest/gtest.h>

namespace ic::simulation {
namespace {

Options network_of(std::uint32_t nodes) {
    Options options;
    options.nodes = nodes;
    options.jobs = 60;
    return options;
}

double messages_per_job(const Outcome& outcome) {
    return per_job(outcome.direct + outcome.adverts, outcome);
}

TEST(Simulation, RunsEachJobExactlyOnceWithoutLossAndChurn) {
    for (const std::uint32_t nodes : {10U, 1'000U, 100'000U}) {
        const Outcome outcome = simulate(network_of(nodes));
        EXPECT_EQ(outcome.done, 60U) << nodes;
        EXPECT_EQ(outcome.failed, 0U) << nodes;
        EXPECT_EQ(outcome.runs, 60U) << nodes;
    }
}

TEST(Simulation, NeverRunsAJobTwiceAtOnce) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        Options options = network_of(300);
        options.loss = 0.3;
        options.doubling = 0.1;
        options.churn = 2;
        options.busy = 0.2;
        options.seed = seed;
        const Outcome outcome = simulate(options);
        EXPECT_EQ(outcome.at_once_max, 1U) << seed;
        EXPECT_EQ(outcome.done + outcome.failed, 60U) << seed;
        EXPECT_GE(outcome.runs, outcome.done) << seed;
    }
}

TEST(Simulation, GivesTheSameForTheSameSeedAndOtherwiseNot) {
    Options options = network_of(1'000);
    options.loss = 0.1;
    options.churn = 1;
    const Outcome first = simulate(options);
    EXPECT_EQ(simulate(options), first);
    options.seed = 2;
    EXPECT_NE(simulate(options), first);
}

TEST(Simulation, KeepsTrafficAndMemoryOfAJobFlatUpToAMillionNodes) {
    const Outcome small = simulate(network_of(1'000));
    const Outcome large = simulate(network_of(1'000'000));
    EXPECT_EQ(large.done, 60U);
    EXPECT_EQ(large.runs, 60U);
    EXPECT_GT(messages_per_job(small), 0);
    // A broadcast takes longer through a larger network, so that it is repeated; the first
    // repetition calls no others.
    EXPECT_LT(messages_per_job(large), 1.4 * messages_per_job(small));
    EXPECT_LT(large.machines_max, 60U * 16 * 2);
}

TEST(Simulation, SendsMoreWhenEverybodyBids) {
    Options options = network_of(1'000);
    options.probes = 0; // With them few are asked in any case.
    const Outcome few = simulate(options);
    options.bidders = 0;
    const Outcome all = simulate(options);
    EXPECT_EQ(all.done, 60U);
    EXPECT_GT(messages_per_job(all), 10 * messages_per_job(few));
}

TEST(Simulation, BroadcastsLessWhereIdleWorkersAreAskedFirst) {
    for (const double loss : {0.0, 0.3}) {
        Options options = network_of(1'000);
        options.loss = loss;
        options.churn = loss;
        options.jobs = 200;
        const Outcome probing = simulate(options);
        options.probes = 0;
        const Outcome broadcasting = simulate(options);
        EXPECT_EQ(probing.done, 200U);
        EXPECT_EQ(probing.at_once_max, 1U);
        EXPECT_LT(2 * probing.copies, broadcasting.copies) << loss;
        EXPECT_LT(messages_per_job(probing), messages_per_job(broadcasting)) << loss;
    }
}

TEST(Simulation, RunsAgainWhatGoesWithItsWorker) {
    Options options = network_of(500);
    options.churn = 5;
    options.jobs = 200;
    const Outcome outcome = simulate(options);
    EXPECT_GT(outcome.runs, outcome.done);
    EXPECT_GT(outcome.ended.max_ms, 5'000); // A fence was waited out.
    EXPECT_GE(outcome.done, 195U);
}

TEST(Network, LosesTheShareThatIsAskedFor) {
    Options options = network_of(10'000);
    options.loss = 0.25;
    const Chance chance(7);
    const Network network(options, chance);
    std::uint32_t arrived = 0;
    for (std::uint32_t node = 0; node < options.nodes; ++node) {
        const std::optional<Us> at = network.arrival(node, 1, 5);
        arrived += at ? 1 : 0;
        if (at) {
            EXPECT_LE(*at - 5, network.broadcast_us_max());
        }
    }
    // Binomial: a standard deviation of 43.
    EXPECT_NEAR(arrived, 7'500, 250);
}

TEST(Network, CountsACopyForEachPeerThatABroadcastIsPassedTo) {
    Options options = network_of(4);
    options.coordinators = 1;
    const Chance chance(1);
    // Five nodes that all know each other: 4 from the origin, 3 from each of the others.
    EXPECT_EQ(Network(options, chance).copies(), 4U + 4U * 3U);
    options.nodes = 1'000;
    EXPECT_EQ(Network(options, chance).copies(), 6U + 1'000U * 5U);
}

TEST(Network, LetsNodesGoAndComeBackAsOthers) {
    Options options = network_of(10);
    options.churn = 1;
    const Chance chance(3);
    const Network network(options, chance);
    for (std::uint32_t node = 0; node < 10; ++node) {
        const Life first = network.life_of(node, 0);
        const Life next = network.life_of(node, first.until);
        EXPECT_NE(first.is_here, next.is_here);
        EXPECT_EQ(network.life_of(node, first.until - 1).number, first.number);
        EXPECT_EQ(network.life_of(node, 60'000'000).number, first.number + 1);
    }
}

TEST(Options, AreRefusedOutOfBounds) {
    EXPECT_TRUE(check({}).ok());
    EXPECT_FALSE(check({.nodes = 0}).ok());
    EXPECT_FALSE(check({.loss = 1}).ok());
    EXPECT_FALSE(check({.mesh = 2}).ok());
    EXPECT_FALSE(check({.nodes = 1'000'000, .bidders = 0}).ok());
    EXPECT_TRUE(check({.probes = limits::probes_max}).ok());
    EXPECT_FALSE(check({.probes = limits::probes_max + 1}).ok());
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++found;
    }
    return found;
}

TEST(Chart, HasALineForEachLossAndChurnInEachPanel) {
    std::vector<Point> points;
    for (const double churn : {0.0, 0.5}) {
        for (const double loss : {0.0, 0.1, 0.3}) {
            for (const std::uint32_t nodes : {10U, 1'000U}) {
                Point point;
                point.options.nodes = nodes;
                point.options.loss = loss;
                point.options.churn = churn;
                point.outcome.jobs = point.outcome.runs = 5;
                points.push_back(point);
            }
        }
    }
    const std::string text = chart(points);
    EXPECT_EQ(count(text, "stroke-width"), 4U * 6U);
    EXPECT_EQ(count(text, "stroke-dasharray"), 4U * 3U) << "those with churn";
    EXPECT_EQ(count(text, "10 % loss"), 1U);
    EXPECT_EQ(count(text, "dashed: 50 %"), 1U);
}

} // namespace
} // namespace ic::simulation
