/// Which workers a coordinator offers a job to that asks for labels.

#include "lease/testing/machines.h"

#include <gtest/gtest.h>

namespace ic::lease {
namespace {

using namespace std::chrono_literals;
using namespace testing;

class CoordinatorLabelsTest : public ::testing::Test {
protected:
    using Actions = std::vector<CoordinatorAction>;

    /// All that comes of what happened, every commit made at once.
    Actions settle(Instant now) {
        Actions whole;
        for (Actions actions = coordinator_.take_actions(); !actions.empty();
             actions = coordinator_.take_actions()) {
            for (const Journal& journal : all<Journal>(actions)) {
                coordinator_.journaled(journal.token, now);
            }
            whole.insert(whole.end(), actions.begin(), actions.end());
        }
        return whole;
    }

    void meet(std::uint8_t number, const job::WorkerLabels& labels) {
        coordinator_.peer_seen(instance(number), at(0));
        coordinator_.message(instance(number),
                             job::Advert{.worker = worker_ref(number),
                                         .slots = 1,
                                         .slots_free = 1,
                                         .software = "test",
                                         .labels = labels},
                             at(0));
    }

    void bid(std::uint8_t number, std::uint8_t nonce_number, std::int64_t ms) {
        coordinator_.message(
            instance(number),
            job::Bid{.worker = worker_ref(number), .job = {}, .nonce = nonce(nonce_number)},
            at(ms));
    }

    static JobEntry asking(std::uint64_t number, std::string_view constraints) {
        JobEntry made = entry(number);
        made.constraints = job::parse_constraints(constraints).take();
        return made;
    }

    Coordinator coordinator_{{.instance = instance(1), .key = {}, .incarnation = 1}, {}};
};

TEST_F(CoordinatorLabelsTest, GrantsToTheOneThatFits) {
    meet(2, {{"region", "us"}});
    meet(3, {{"region", "eu"}});
    bid(2, 20, 1);
    bid(3, 30, 2);
    coordinator_.submit(asking(1, "region=eu"), at(10));
    const auto grants = all<job::Grant>(settle(at(11)));
    ASSERT_EQ(grants.size(), 1U);
    EXPECT_EQ(grants[0].worker, worker_ref(3));
    const auto view = coordinator_.view(cid(1));
    ASSERT_EQ(view->notes.size(), 2U);
    EXPECT_EQ(view->notes[0].verdict, Verdict::declined);
    EXPECT_NE(view->notes[0].message.find("region=eu, this worker has region=us"),
              std::string::npos)
        << view->notes[0].message;
}

TEST_F(CoordinatorLabelsTest, LeavesTheBidOfOneThatDoesNotFitToOtherJobs) {
    meet(2, {});
    bid(2, 20, 1);
    coordinator_.submit(asking(1, "gpu"), at(10));
    EXPECT_TRUE(all<job::Grant>(settle(at(10))).empty());
    coordinator_.submit(entry(2), at(11));
    const auto grants = all<job::Grant>(settle(at(12)));
    ASSERT_EQ(grants.size(), 1U);
    EXPECT_EQ(grants[0].lease.job, cid(2));
}

TEST_F(CoordinatorLabelsTest, LetsAWorkerJudgeWhoseLabelsItDoesNotKnow) {
    bid(2, 20, 1);
    coordinator_.submit(asking(1, "gpu"), at(10));
    const auto grants = all<job::Grant>(settle(at(11)));
    ASSERT_EQ(grants.size(), 1U);
    coordinator_.message(
        instance(2),
        job::HandBack{worker_ref(2), grants[0].lease, Errc::refused, "constraint: no gpu here"},
        at(20));
    bid(2, 21, 21);
    EXPECT_TRUE(all<job::Grant>(settle(at(22))).empty()) << "it has said no";
}

TEST_F(CoordinatorLabelsTest, GrantsWhatWasPassedOverAtOnceToWhomItSuits) {
    meet(2, {{"region", "us"}});
    bid(2, 1, 0);
    coordinator_.submit(asking(1, "region=eu"), at(0));
    coordinator_.submit(asking(2, "region=eu"), at(0));
    EXPECT_TRUE(all<job::Grant>(settle(at(0))).empty());
    meet(3, {{"region", "eu"}});
    for (std::uint8_t number = 1; number <= 2; ++number) {
        bid(3, number, number);
        const auto grants = all<job::Grant>(settle(at(number)));
        ASSERT_EQ(grants.size(), 1U);
        EXPECT_EQ(grants[0].worker.instance, instance(3));
        EXPECT_EQ(grants[0].lease.job, cid(number)) << "the first one first";
    }
}

TEST_F(CoordinatorLabelsTest, LooksForAPassedOverJobAmongSoManyAlone) {
    const CoordinatorOptions options;
    meet(2, {{"region", "us"}});
    meet(3, {{"region", "eu"}});
    bid(2, 1, 0);
    for (std::uint64_t number = 1; number <= options.pass_looks_max; ++number) {
        coordinator_.submit(asking(number, "gpu"), at(0));
    }
    coordinator_.submit(asking(options.pass_looks_max + 1, "region=eu"), at(0));
    settle(at(0));
    bid(3, 1, 1);
    EXPECT_TRUE(all<job::Grant>(settle(at(1))).empty()) << "it is behind so many";
    const std::int64_t pause_ms = options.pass_first.count();
    coordinator_.time(at(pause_ms));
    const auto grants = all<job::Grant>(settle(at(pause_ms)));
    ASSERT_EQ(grants.size(), 1U) << "it comes back by itself";
    EXPECT_EQ(grants[0].worker.instance, instance(3));
}

TEST_F(CoordinatorLabelsTest, NamesTheConstraintAndTheRemedyWhenNobodyFits) {
    const auto words = [this](std::int64_t ms) {
        const auto outcomes = all<job::Outcome>(settle(at(ms)));
        EXPECT_EQ(outcomes.size(), 1U);
        EXPECT_EQ(outcomes.empty() ? Errc::internal : outcomes[0].error, Errc::queue_timeout);
        return outcomes.empty() ? "" : outcomes[0].message;
    };
    JobEntry alone = asking(1, "gpu, region=eu");
    alone.timeouts.queue_ms_max = 1'000;
    coordinator_.submit(alone, at(0));
    settle(at(0));
    coordinator_.time(at(1'000));
    const std::string nobody = words(1'000);
    EXPECT_NE(nobody.find("asks for gpu, region=eu: start a worker with --label gpu=VALUE"),
              std::string::npos)
        << nobody;

    meet(2, {{"region", "us"}});
    JobEntry unfit = asking(2, "region=eu");
    unfit.timeouts.queue_ms_max = 1'000;
    coordinator_.submit(unfit, at(2'000));
    settle(at(2'000));
    coordinator_.time(at(3'000));
    const std::string declined = words(3'000);
    EXPECT_NE(declined.find("02020202 declined: constraint: the job asks for region=eu, this "
                            "worker has region=us; start a worker with --label region=eu"),
              std::string::npos)
        << declined;
}

TEST_F(CoordinatorLabelsTest, AnnouncesThemWhereTheDocumentIsTooLargeToGoAlong) {
    JobEntry large = asking(1, "gpu");
    large.invocation = LentBytes::of(Bytes(CoordinatorOptions{}.announced_document_max + 1, 7));
    coordinator_.submit(large, at(0));
    Actions actions = settle(at(0));
    coordinator_.time(at(1));
    const Actions more = settle(at(1));
    actions.insert(actions.end(), more.begin(), more.end());
    const auto announced = all<job::Announce>(actions);
    ASSERT_EQ(announced.size(), 1U);
    EXPECT_FALSE(announced[0].invocation);
    EXPECT_EQ(job::to_string(announced[0].constraints), "gpu");
}

TEST_F(CoordinatorLabelsTest, TakesNobodyForAPeerBecauseOfAnAdvertFromAfar) {
    coordinator_.message(
        instance(9),
        job::Advert{.worker = worker_ref(9), .slots = 1, .slots_free = 1, .software = {}},
        at(0));
    EXPECT_EQ(coordinator_.counts().peers, 0U);
    coordinator_.message(
        instance(1),
        job::Advert{.worker = worker_ref(1), .slots = 1, .slots_free = 1, .software = {}},
        at(0));
    EXPECT_EQ(coordinator_.counts().peers, 1U) << "its own process's worker it knows";
}

} // namespace
} // namespace ic::lease
