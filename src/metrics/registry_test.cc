#include "metrics/registry.h"
#include "metrics/testing/exposition.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

namespace ic::metrics {
namespace {

using namespace std::chrono_literals;
using testing::ExposedFamily;
using testing::parse_exposition;
using testing::value_in;

std::map<std::string, ExposedFamily> exposed(Registry& registry) {
    Result<std::map<std::string, ExposedFamily>> families = parse_exposition(registry.text());
    EXPECT_TRUE(families.ok()) << families.error().message;
    return std::move(families).take();
}

TEST(Catalogue, HasEveryMetricInItsPlaceUnderANameOfItsOwn) {
    std::set<std::string_view> names;
    for (std::size_t at = 0; at < catalogue().size(); ++at) {
        const Family& family = catalogue()[at];
        EXPECT_EQ(static_cast<std::size_t>(family.metric), at) << family.name;
        EXPECT_TRUE(family.name.starts_with("ipfs_compute_")) << family.name;
        EXPECT_TRUE(names.insert(family.name).second) << family.name;
        EXPECT_TRUE(family.help.ends_with(".")) << family.name;
        const std::set<std::string_view> values(family.label.values.begin(),
                                                family.label.values.end());
        EXPECT_EQ(values.size(), family.label.values.size()) << family.name;
    }
}

TEST(Registry, ShowsEveryFamilyWithAllItsSeriesFromTheStart) {
    Registry registry;
    const auto families = exposed(registry);
    EXPECT_EQ(families.size(), catalogue().size());
    for (const Family& family : catalogue()) {
        const auto found = families.find(std::string(family.name));
        ASSERT_NE(found, families.end()) << family.name;
        EXPECT_EQ(found->second.type, name(family.kind));
        for (const auto& [labels, value] : found->second.samples) {
            EXPECT_EQ(value, 0) << family.name << labels;
        }
    }
}

TEST(Registry, CountsEachSeriesByItself) {
    Registry registry;
    count(&registry, Metric::jobs_accepted);
    count(&registry, Metric::jobs_ended, "success");
    count(&registry, Metric::jobs_ended, "success");
    count(&registry, Metric::jobs_ended, "limit-curls");
    registry.number(Metric::kubo_requests, "pin", "failed").add(7);
    registry.number(Metric::guest_cpu).add(1'500'000);
    count(nullptr, Metric::jobs_accepted);
    const auto families = exposed(registry);
    EXPECT_EQ(value_in(families, "ipfs_compute_jobs_accepted_total"), 1);
    EXPECT_EQ(value_in(families, "ipfs_compute_jobs_ended_total", R"({ending="success"})"), 2);
    EXPECT_EQ(value_in(families, "ipfs_compute_jobs_ended_total", R"({ending="limit-curls"})"), 1);
    EXPECT_EQ(value_in(families, "ipfs_compute_jobs_ended_total", R"({ending="usage"})"), 0);
    EXPECT_EQ(value_in(families,
                       "ipfs_compute_kubo_requests_total",
                       R"({endpoint="pin",outcome="failed"})"),
              7);
    EXPECT_EQ(value_in(families, "ipfs_compute_guest_cpu_seconds_total"), 1.5) << "microseconds";
}

TEST(Registry, CountsWhatItDoesNotKnowAsOther) {
    Registry registry;
    registry.number(Metric::kubo_requests, "bafyno\"label", "ok").add();
    EXPECT_EQ(value_in(exposed(registry),
                       "ipfs_compute_kubo_requests_total",
                       R"({endpoint="other",outcome="ok"})"),
              1);
}

TEST(Registry, PutsDurationsIntoTheBucketThatBoundsThem) {
    Registry registry;
    const std::string stage = "ipfs_compute_stage_seconds";
    for (const std::chrono::nanoseconds duration :
         std::vector<std::chrono::nanoseconds>{1ms, 1ms + 1ns, -5ms, 1h}) {
        observe(&registry, Metric::stage, "run", duration);
    }
    const auto families = exposed(registry);
    const auto upto = [&](const std::string& bound) {
        return value_in(families, stage, R"(_bucket{stage="run",le=")" + bound + "\"}");
    };
    EXPECT_EQ(upto("0.0005"), 1) << "a clock that went back counts as nothing";
    EXPECT_EQ(upto("0.001"), 2) << "a bound is in its bucket";
    EXPECT_EQ(upto("0.0025"), 3);
    EXPECT_EQ(upto("600"), 3);
    EXPECT_EQ(upto("+Inf"), 4);
    EXPECT_EQ(value_in(families, stage, R"(_count{stage="run"})"), 4);
    EXPECT_NEAR(value_in(families, stage, R"(_sum{stage="run"})"), 3600.002, 1e-6);
    EXPECT_EQ(value_in(families, stage, R"(_count{stage="queue"})"), 0);
}

TEST(Registry, AsksForWhatIsLookedUpBeforeEachText) {
    Registry registry;
    std::uint64_t looks = 0;
    registry.on_scrape([&] { registry.number(Metric::jobs_open).set(++looks); });
    EXPECT_EQ(value_in(exposed(registry), "ipfs_compute_jobs_open"), 1);
    EXPECT_EQ(value_in(exposed(registry), "ipfs_compute_jobs_open"), 2);
}

TEST(Registry, LosesNothingThatSeveralThreadsCount) {
    Registry registry;
    std::vector<std::thread> threads;
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([&registry] {
            for (int time = 0; time < 10'000; ++time) {
                count(&registry, Metric::bids_sent);
                observe(&registry, Metric::stage, "claim", 1ms);
            }
        });
    }
    for (int time = 0; time < 100; ++time) {
        exposed(registry); // Adds up at every moment.
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const auto families = exposed(registry);
    EXPECT_EQ(value_in(families, "ipfs_compute_bids_sent_total"), 40'000);
    EXPECT_EQ(value_in(families, "ipfs_compute_stage_seconds", R"(_count{stage="claim"})"), 40'000);
}

TEST(Exposition, RefusesWhatServersMayRefuse) {
    const std::string head = "# HELP a_total b\n# TYPE a_total counter\n";
    EXPECT_TRUE(parse_exposition(head + "a_total 1\n").ok());
    const std::string buckets = "# HELP h x\n# TYPE h histogram\n";
    EXPECT_TRUE(parse_exposition(buckets + "h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\n"
                                           "h_sum 1\nh_count 2\n")
                    .ok());
    for (const std::string& bad : std::vector<std::string>{
             head + "a_total 1",
             "a_total 1\n",
             head,
             head + "a_total 1\n" + head + "a_total 2\n",
             head + "a_total 1\na_total 1\n",
             head + "a_total -1\n",
             head + "a_total one\n",
             head + "a_total{b=1} 1\n",
             head + "a_total{b=\"1\",} 1\n",
             head + "a_total{b=\"1\n2\"} 1\n",
             head + "a_total{1b=\"1\"} 1\n",
             head + "b_total 1\n",
             "# HELP a b\n# TYPE a counter\na 1\n",
             "# HELP a_total b\n# TYPE a_total gauge\na_total 1\n",
             buckets + "h_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n",
             buckets + "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
             buckets + "h_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n",
         }) {
        EXPECT_FALSE(parse_exposition(bad).ok()) << bad;
    }
}

} // namespace
} // namespace ic::metrics
