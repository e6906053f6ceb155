/// Whom a job goes to of which some workers have more than others.

#include "lease/testing/machines.h"

#include <gtest/gtest.h>

namespace ic::lease {
namespace {

using namespace std::chrono_literals;
using namespace testing;

constexpr std::uint64_t mebibyte = 1U << 20U;

class LocalityTest : public ::testing::Test {
protected:
    using Actions = std::vector<CoordinatorAction>;

    Actions settle(std::int64_t ms) {
        Actions whole;
        for (Actions actions = coordinator_.take_actions(); !actions.empty();
             actions = coordinator_.take_actions()) {
            for (const Journal& journal : all<Journal>(actions)) {
                coordinator_.journaled(journal.token, at(ms));
            }
            whole.insert(whole.end(), actions.begin(), actions.end());
        }
        return whole;
    }

    /// For any job; of `about` it has so much.
    void bid(std::uint8_t number,
             std::uint8_t nonce_number,
             std::int64_t ms,
             std::optional<Cid> about = {},
             std::uint64_t local = 0) {
        coordinator_.message(instance(number),
                             job::Bid{.worker = worker_ref(number),
                                      .job = {},
                                      .nonce = nonce(nonce_number),
                                      .bytes_local = local,
                                      .bytes_needed = 100 * mebibyte,
                                      .about = std::move(about)},
                             at(ms));
    }

    static JobEntry large(std::uint64_t number, std::uint64_t here) {
        JobEntry made = entry(number);
        made.here = {.bytes_needed = 100 * mebibyte, .bytes_local = here};
        return made;
    }

    std::optional<job::WorkerRef> granted(std::int64_t ms) {
        coordinator_.time(at(ms));
        const auto grants = all<job::Grant>(settle(ms));
        return grants.empty() ? std::nullopt : std::optional{grants.front().worker};
    }

    Coordinator coordinator_{{.instance = instance(1), .key = {}, .incarnation = 1}, {}};
};

TEST_F(LocalityTest, GivesALargeJobToTheOneThatHasMostOfItOfThoseThatBidInTime) {
    bid(2, 20, 0);
    coordinator_.submit(large(1, 0), at(0));
    const Actions first = settle(0);
    EXPECT_TRUE(all<job::Grant>(first).empty()) << "it waits for others";
    EXPECT_EQ(granted(1), std::nullopt);
    bid(3, 30, 10, cid(1), 90 * mebibyte);
    bid(4, 40, 20, cid(1), 50 * mebibyte);
    EXPECT_EQ(granted(49), std::nullopt);
    EXPECT_EQ(granted(50), worker_ref(3));
}

TEST_F(LocalityTest, AnnouncesALargeJobAtOnceThoughABidIsThere) {
    bid(2, 20, 0);
    coordinator_.submit(large(1, 0), at(0));
    Actions actions = settle(0);
    coordinator_.time(at(1));
    const Actions more = settle(1);
    actions.insert(actions.end(), more.begin(), more.end());
    EXPECT_EQ(all<job::Announce>(actions).size(), 1U);
    EXPECT_EQ(granted(50), worker_ref(2)) << "nobody has more";
}

TEST_F(LocalityTest, WaitsForNobodyWhereAWorkerOfThisHomeIsFree) {
    coordinator_.peer_seen(instance(2), at(0), StoreOf::this_home);
    bid(3, 30, 0);
    bid(2, 20, 0);
    coordinator_.submit(large(1, 100 * mebibyte), at(0));
    EXPECT_EQ(granted(0), worker_ref(2));
}

TEST_F(LocalityTest, SpreadsSmallJobsOverAllWhoeverHasWhatTheyNeed) {
    coordinator_.peer_seen(instance(2), at(0), StoreOf::this_home);
    const std::uint64_t bytes = CoordinatorOptions{}.gather_bytes_min - 1;
    std::vector<job::WorkerRef> workers;
    for (std::uint8_t number = 0; number < 4; ++number) {
        bid(2, static_cast<std::uint8_t>(20 + number), number);
        bid(3, static_cast<std::uint8_t>(30 + number), number);
        JobEntry small = entry(number);
        small.here = {.bytes_needed = bytes, .bytes_local = bytes};
        coordinator_.submit(small, at(number));
        workers.push_back(granted(number).value_or(job::WorkerRef{}));
    }
    EXPECT_EQ(workers, (std::vector{worker_ref(2), worker_ref(3), worker_ref(2), worker_ref(3)}));
}

TEST_F(LocalityTest, RemembersWhatABoundedNumberOfWorkersHas) {
    CoordinatorOptions options;
    options.localities_per_job_max = 1;
    Coordinator narrow({.instance = instance(1), .key = {}, .incarnation = 1}, options);
    narrow.submit(large(1, 0), at(0));
    const auto say = [&](std::uint8_t number, std::uint64_t local) {
        narrow.message(instance(number),
                       job::Bid{.worker = worker_ref(number),
                                .job = {},
                                .nonce = nonce(number),
                                .bytes_local = local,
                                .bytes_needed = local,
                                .about = cid(1)},
                       at(1));
    };
    say(2, mebibyte);
    say(3, 2 * mebibyte);
    narrow.time(at(50));
    for (const Journal& journal : all<Journal>(narrow.take_actions())) {
        narrow.journaled(journal.token, at(50));
    }
    const auto grants = all<job::Grant>(narrow.take_actions());
    ASSERT_EQ(grants.size(), 1U);
    EXPECT_EQ(grants[0].worker, worker_ref(2)) << "of the second nothing is known";
}

TEST(WorkerLocality, IsSaidOnceOfEachJobWithFreshBids) {
    CountingNonces nonces;
    Worker worker(worker_ref(2), {}, nonces);
    worker.start(at(0));
    worker.take_actions();
    const auto hear = [&](std::uint64_t job, std::uint64_t local, std::int64_t ms) {
        worker.announced(instance(3),
                         cid(job),
                         {.bytes_needed = 2 * local, .bytes_local = local},
                         Call::by_score,
                         at(ms));
        return all<job::Bid>(worker.take_actions());
    };
    auto bids = hear(1, 5 * mebibyte, 10);
    ASSERT_EQ(bids.size(), 1U);
    EXPECT_EQ(bids[0].about, cid(1));
    EXPECT_EQ(bids[0].bytes_local, 5 * mebibyte);
    EXPECT_EQ(bids[0].bytes_needed, 10 * mebibyte);
    EXPECT_TRUE(hear(1, 5 * mebibyte, 20).empty()) << "it is known there";
    bids = hear(2, 7 * mebibyte, 30);
    ASSERT_EQ(bids.size(), 1U) << "another job: a bid that says so takes the old one's place";
    EXPECT_EQ(bids[0].about, cid(2));
    EXPECT_TRUE(hear(3, WorkerOptions{}.locality_bytes_min - 1, 40).empty()) << "not worth it";
}

} // namespace
} // namespace ic::lease
