#include "lease/coordinator.h"
#include "lease/testing/machines.h"
#include "lease/worker.h"
#include "lease/worker_table.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ic::lease {
namespace {

using namespace std::chrono_literals;
using namespace testing;

job::Advert advert_of(std::uint8_t number, std::uint32_t slots_free = 1) {
    return {.worker = worker_ref(number), .slots = 1, .slots_free = slots_free, .software = {}};
}

class ProbeTest : public ::testing::Test {
protected:
    using Actions = std::vector<CoordinatorAction>;

    void hear(std::uint8_t number, std::int64_t ms, std::uint32_t slots_free = 1) {
        table_.hear(advert_of(number, slots_free), Trust::trusted, at(ms));
    }

    Actions settle(std::int64_t ms) {
        Actions seen;
        for (bool more = true; more;) {
            Actions actions = coordinator_.take_actions();
            more = false;
            for (const Journal& journal : all<Journal>(actions)) {
                coordinator_.journaled(journal.token, at(ms));
                more = true;
            }
            seen.insert(seen.end(), actions.begin(), actions.end());
        }
        return seen;
    }

    Actions submit(std::uint64_t number, std::int64_t ms) {
        coordinator_.submit(entry(number), at(ms));
        return settle(ms);
    }

    Actions pass(std::int64_t ms) {
        coordinator_.time(at(ms));
        return settle(ms);
    }

    Actions bid(std::uint8_t worker, std::uint8_t number, std::int64_t ms) {
        coordinator_.message(
            instance(worker),
            job::Bid{.worker = worker_ref(worker), .job = {}, .nonce = nonce(number)},
            at(ms));
        return settle(ms);
    }

    /// Who was asked, in the order of their names.
    static std::vector<job::Instance> probed(const Actions& actions) {
        std::vector<job::Instance> found;
        for (const Send& send : all<Send>(actions)) {
            const auto* announce = std::get_if<job::Announce>(&send.message);
            if (announce != nullptr) {
                EXPECT_EQ(announce->probe, true);
                found.push_back(send.to);
            }
        }
        std::ranges::sort(found);
        return found;
    }

    static std::size_t announced(const Actions& actions) {
        return all<Announcement>(actions).size();
    }

    WorkerTable table_;
    Coordinator coordinator_{{.instance = instance(1), .key = {}, .incarnation = 7}, {}, &table_};
};

TEST_F(ProbeTest, AsksAFewOfTheIdleAndAllOnlyWhenNoBidComes) {
    hear(2, 0);
    hear(3, 0);
    hear(4, 0);
    const Actions asked = submit(1, 10);
    EXPECT_EQ(probed(asked).size(), 2U);
    EXPECT_EQ(announced(asked), 0U);
    EXPECT_EQ(announced(pass(109)), 0U);
    const Actions all_told = pass(110);
    EXPECT_EQ(announced(all_told), 1U);
    EXPECT_TRUE(probed(all_told).empty());
    EXPECT_EQ(all<job::Announce>(all_told).at(0).probe, std::nullopt);
    EXPECT_EQ(announced(pass(210)), 1U) << "and again, with backoff";
}

TEST_F(ProbeTest, ABidInTimeSparesTheAnnouncement) {
    hear(2, 0);
    EXPECT_EQ(probed(submit(1, 10)), std::vector{instance(2)});
    const auto grants = all<job::Grant>(bid(2, 1, 30));
    ASSERT_EQ(grants.size(), 1U);
    EXPECT_EQ(grants[0].worker, worker_ref(2));
    for (const std::int64_t ms : {110, 500, 2'000}) {
        EXPECT_EQ(announced(pass(ms)), 0U) << ms;
    }
}

TEST_F(ProbeTest, AJobThatABidIsHereForAsksNobody) {
    hear(2, 0);
    bid(3, 1, 0);
    const Actions granted = submit(1, 10);
    EXPECT_EQ(all<job::Grant>(granted).size(), 1U);
    EXPECT_TRUE(probed(granted).empty());
}

TEST_F(ProbeTest, EachWorkerIsAskedOnceUntilItIsHeardAgain) {
    hear(2, 0);
    EXPECT_EQ(probed(submit(1, 10)).size(), 1U);
    const Actions second = submit(2, 50);
    EXPECT_TRUE(probed(second).empty());
    EXPECT_EQ(announced(second), 1U) << "at once";
    hear(2, 60);
    EXPECT_EQ(probed(submit(3, 100)).size(), 1U);
}

TEST_F(ProbeTest, NobodyIsAskedWhoIsBusyStrangeUnfitOrSilent) {
    hear(2, 60'000, 0);
    table_.hear(advert_of(3), Trust::stranger, at(60'000));
    hear(4, 29'999);
    hear(1, 60'000); // This very process, whose bids are always here if it is free.
    EXPECT_EQ(announced(submit(1, 60'000)), 1U);

    hear(5, 60'000);
    JobEntry labelled = entry(2);
    labelled.constraints = {{"gpu", job::LabelOperator::exists, {}}};
    coordinator_.submit(labelled, at(60'100));
    EXPECT_EQ(announced(settle(60'100)), 1U);

    hear(6, 60'200);
    table_.forget(instance(5));
    coordinator_.peer_dead(instance(6), at(60'200));
    EXPECT_EQ(announced(submit(3, 60'200)), 1U) << "of the dead nobody is asked";
}

TEST_F(ProbeTest, OneThatHasAJobOfOursIsNotAsked) {
    bid(2, 1, 0);
    EXPECT_EQ(all<job::Grant>(submit(1, 0)).size(), 1U);
    hear(2, 5); // Said before the grant came.
    const Actions second = submit(2, 10);
    EXPECT_TRUE(probed(second).empty());
    EXPECT_EQ(announced(second), 1U);
}

TEST_F(ProbeTest, ALargeJobIsAnnouncedAtOnceSoThatAllSayWhatTheyHave) {
    hear(2, 0);
    JobEntry large = entry(1);
    large.here.bytes_needed = CoordinatorOptions{}.gather_bytes_min;
    coordinator_.submit(large, at(10));
    const Actions told = settle(10);
    EXPECT_EQ(announced(told), 1U);
    EXPECT_TRUE(probed(told).empty());
}

TEST_F(ProbeTest, AJobThatComesBackAsksAgainAndNotThoseThatRefusedIt) {
    hear(2, 0);
    submit(1, 10);
    const auto grants = all<job::Grant>(bid(2, 1, 30));
    ASSERT_EQ(grants.size(), 1U);
    hear(2, 40);
    hear(3, 40);
    coordinator_.message(instance(2),
                         job::HandBack{.worker = worker_ref(2),
                                       .lease = grants[0].lease,
                                       .reason = Errc::refused,
                                       .message = "not here"},
                         at(50));
    EXPECT_EQ(probed(settle(50)), std::vector{instance(3)});
}

TEST_F(ProbeTest, WithNobodyToAskAllIsAsBefore) { EXPECT_EQ(announced(submit(1, 0)), 1U); }

TEST(IdleWorkers, AreGivenAsTheAnnouncementWouldCallThem) {
    const auto any = [](const job::Advert&) { return true; };
    for (std::uint64_t job = 0; job < 20; ++job) {
        WorkerTable table;
        std::vector<std::pair<std::uint64_t, job::Instance>> scores;
        for (std::uint8_t number = 2; number < 40; ++number) {
            table.hear(advert_of(number), Trust::trusted, at(0));
            const job::WorkerRef worker = worker_ref(number);
            scores.emplace_back(
                rendezvous_score(rendezvous_bits(cid(job)), rendezvous_bits(worker.key)),
                worker.instance);
        }
        std::ranges::sort(scores);
        const std::vector<job::Instance> first = table.take(cid(job), any, 2, at(0));
        EXPECT_EQ(first, (std::vector{scores[0].second, scores[1].second}));
        EXPECT_EQ(table.take(cid(job), any, 1, at(0)), std::vector{scores[2].second});
        EXPECT_EQ(table.take(cid(job), any, 100, at(0)).size(), 35U) << "no more than there are";
    }
}

TEST(Worker, IsCalledByAProbeWhateverItsScore) {
    CountingNonces nonces;
    WorkerOptions options;
    options.rendezvous.workers = 1'000'000;
    Worker worker(worker_ref(2), options, nonces);
    worker.start(at(0));
    worker.take_actions();
    const job::Announce told{
        .coordinator = instance(3), .coordinator_key = {}, .job = cid(1), .invocation = {}};
    ASSERT_GT(rendezvous_score(rendezvous_bits(cid(1)), rendezvous_bits(worker_ref(2).key)),
              rendezvous_threshold({.workers = 1'000'000}, 0))
        << "this job shows nothing";
    worker.message(instance(3), told, at(10));
    EXPECT_TRUE(all<job::Bid>(worker.take_actions()).empty());
    job::Announce probe = told;
    probe.probe = true;
    worker.message(instance(3), probe, at(20));
    EXPECT_EQ(all<job::Bid>(worker.take_actions()).size(), 1U);
}

} // namespace
} // namespace ic::lease
