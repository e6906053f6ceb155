#include "lease/coordinator.h"
#include "lease/testing/machines.h"

#include <gtest/gtest.h>

namespace ic::lease {
namespace {

using namespace std::chrono_literals;
using namespace testing;

class CoordinatorTest : public ::testing::Test {
protected:
    using Actions = std::vector<CoordinatorAction>;

    Actions take() { return coordinator_.take_actions(); }

    /// Confirms what was asked to be written, and gives all that was asked before and after.
    Actions settle(std::int64_t ms) {
        Actions seen;
        for (bool more = true; more;) {
            Actions actions = take();
            more = false;
            for (const Journal& journal : all<Journal>(actions)) {
                coordinator_.journaled(journal.token, at(ms));
                more = true;
            }
            seen.insert(seen.end(), actions.begin(), actions.end());
        }
        return seen;
    }

    void bid(std::uint8_t worker, std::uint8_t number, std::int64_t ms) {
        coordinator_.message(instance(worker),
                             job::Bid{.worker = worker_ref(worker),
                                      .job = {},
                                      .nonce = nonce(number),
                                      .bytes_local = 0,
                                      .bytes_needed = 0},
                             at(ms));
    }

    /// Submits job 1 and has it granted to worker 2.
    job::Grant granted(job::Effects effects = job::Effects::pure) {
        bid(2, 1, 0);
        coordinator_.submit(entry(1, effects), at(0));
        const auto grants = all<job::Grant>(settle(0));
        EXPECT_EQ(grants.size(), 1U);
        return grants.at(0);
    }

    void renew(const job::Grant& grant, std::int64_t ms) {
        coordinator_.message(
            grant.worker.instance, job::Renew{grant.worker, ++sequence_, {grant.lease}}, at(ms));
    }

    void receive(const job::WorkerRef& worker,
                 const job::LeaseRef& lease,
                 std::int64_t ms,
                 const ReceiptFacts& facts = {.valid = true, .error = {}, .message = {}}) {
        coordinator_.receipt(worker.instance,
                             {.worker = worker, .lease = lease, .receipt = Bytes{1, 2}},
                             facts,
                             at(ms));
    }

    std::uint64_t sequence_ = 0;
    Coordinator coordinator_{{.instance = instance(1), .key = {}, .incarnation = 7}, {}};
};

TEST_F(CoordinatorTest, SaysNothingBeforeTheJournalIsDurable) {
    bid(2, 1, 0);
    coordinator_.submit(entry(1), at(0));
    const Actions before = take();
    ASSERT_EQ(before.size(), 1U) << "one commit for accepted and granted, and nothing else";
    const auto journals = all<Journal>(before);
    ASSERT_EQ(journals.size(), 1U);
    ASSERT_EQ(journals[0].records.size(), 2U);
    EXPECT_TRUE(std::holds_alternative<AcceptedRecord>(journals[0].records[0]));
    EXPECT_TRUE(std::holds_alternative<GrantedRecord>(journals[0].records[1]));
    coordinator_.journaled(journals[0].token, at(1));
    const Actions after = take();
    EXPECT_EQ(all<job::Accepted>(after).size(), 1U);
    ASSERT_EQ(all<job::Grant>(after).size(), 1U);
    EXPECT_EQ(all<job::Grant>(after)[0].nonce, nonce(1));
    EXPECT_EQ(all<job::Grant>(after)[0].lease.epoch, (job::Epoch{7, 1}));
}

TEST_F(CoordinatorTest, ADisownedJobIsNeitherGrantedNorSpokenOf) {
    bid(2, 1, 0);
    coordinator_.submit(entry(1), at(0));
    const auto journals = all<Journal>(take());
    ASSERT_EQ(journals.size(), 1U);
    coordinator_.disown(entry(1).ids.job, at(1));
    coordinator_.journaled(journals[0].token, at(1));
    EXPECT_TRUE(take().empty());
    EXPECT_FALSE(coordinator_.view(entry(1).ids.job));
    EXPECT_EQ(coordinator_.counts().open, 0U);
    bid(2, 2, 2);
    coordinator_.submit(entry(2), at(2));
    EXPECT_EQ(all<job::Grant>(settle(2)).size(), 1U) << "the worker is free for others";
}

TEST_F(CoordinatorTest, AnswersABidWithOneGrant) {
    bid(2, 1, 0);
    bid(2, 1, 0); // Doubled on its way.
    coordinator_.submit(entry(1), at(0));
    coordinator_.submit(entry(2), at(0));
    EXPECT_EQ(all<job::Grant>(settle(0)).size(), 1U);
}

TEST_F(CoordinatorTest, DoesNotGrantOnAWithdrawnBid) {
    bid(2, 1, 0);
    coordinator_.submit(entry(1), at(0));
    coordinator_.message(instance(2), job::Withdraw{worker_ref(2), nonce(1)}, at(1));
    EXPECT_EQ(all<job::Grant>(settle(1)).size(), 0U) << "withdrawn while the journal was written";
    bid(2, 2, 2);
    EXPECT_EQ(all<job::Grant>(settle(2)).size(), 1U);
}

TEST_F(CoordinatorTest, DoesNotGrantOnAnOldBid) {
    bid(2, 1, 0);
    coordinator_.submit(entry(1), at(2'001));
    EXPECT_EQ(all<job::Grant>(settle(2'001)).size(), 0U);
}

TEST_F(CoordinatorTest, AnnouncesAgainWithBackoffUntilItIsGranted) {
    coordinator_.submit(entry(1), at(0));
    EXPECT_EQ(all<job::Announce>(settle(0)).size(), 1U);
    std::size_t count = 0;
    for (std::int64_t ms = 1; ms <= 10'000; ++ms) {
        coordinator_.time(at(ms));
        count += all<job::Announce>(settle(ms)).size();
    }
    EXPECT_GE(count, 7U);
    EXPECT_LE(count, 12U);
    bid(2, 1, 10'001);
    EXPECT_EQ(all<job::Grant>(settle(10'001)).size(), 1U);
    coordinator_.time(at(13'000));
    EXPECT_EQ(all<job::Announce>(settle(13'000)).size(), 0U);
}

TEST_F(CoordinatorTest, WaitsOutTheFenceBeforeItGrantsAgain) {
    const job::Grant first = granted();
    bid(3, 2, 4'000);
    coordinator_.time(at(4'999)); // 3 s x 1.5 + 0.5 s
    EXPECT_EQ(all<job::Grant>(settle(4'999)).size(), 0U);
    coordinator_.time(at(5'000));
    const auto again = all<job::Grant>(settle(5'000));
    ASSERT_EQ(again.size(), 1U);
    EXPECT_GT(again[0].lease.epoch, first.lease.epoch);
    EXPECT_EQ(again[0].worker, worker_ref(3));
}

TEST_F(CoordinatorTest, CountsTheFenceFromTheLastRenewal) {
    const job::Grant grant = granted();
    renew(grant, 4'000);
    ASSERT_EQ(all<job::RenewAnswer>(take()).size(), 1U);
    bid(3, 2, 8'990);
    coordinator_.time(at(8'999));
    EXPECT_EQ(all<job::Grant>(settle(8'999)).size(), 0U);
    coordinator_.time(at(9'000));
    EXPECT_EQ(all<job::Grant>(settle(9'000)).size(), 1U);
}

TEST_F(CoordinatorTest, TellsALateRenewalThatTheLeaseIsLost) {
    const job::Grant grant = granted();
    coordinator_.time(at(5'000));
    settle(5'000);
    renew(grant, 5'001);
    const auto answers = all<job::RenewAnswer>(take());
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].lost, std::vector{grant.lease});
    EXPECT_TRUE(answers[0].renewed.empty());
}

TEST_F(CoordinatorTest, SaysNothingOfALeaseItDoesNotKnow) {
    coordinator_.message(
        instance(2), job::Renew{worker_ref(2), 1, {{.job = cid(9), .epoch = {1, 1}}}}, at(0));
    EXPECT_TRUE(take().empty());
}

TEST_F(CoordinatorTest, GrantsAgainAtOnceOnProofOfDeathAlone) {
    granted();
    bid(3, 2, 10);
    coordinator_.peer_silent(instance(2), at(20));
    EXPECT_EQ(all<job::Grant>(settle(20)).size(), 0U) << "silence proves nothing";
    coordinator_.peer_dead(instance(2), at(30));
    EXPECT_EQ(all<job::Grant>(settle(30)).size(), 1U);
}

TEST_F(CoordinatorTest, GrantsAgainAtOnceWhenItIsHandedBack) {
    const job::Grant grant = granted();
    bid(3, 2, 10);
    coordinator_.message(instance(3), job::HandBack{worker_ref(3), grant.lease, {}, {}}, at(11));
    EXPECT_EQ(all<job::Grant>(settle(11)).size(), 0U) << "not the holder";
    coordinator_.message(
        instance(2), job::HandBack{worker_ref(2), grant.lease, Errc::unavailable, "busy"}, at(12));
    EXPECT_EQ(all<job::Grant>(settle(12)).size(), 1U);
    EXPECT_EQ(coordinator_.view(cid(1))->attempts_failed, 0U);
}

TEST_F(CoordinatorTest, AnswersAReceiptOnceItIsDurable) {
    const job::Grant grant = granted();
    receive(grant.worker, grant.lease, 50);
    const Actions before = take();
    EXPECT_TRUE(all<job::ReceiptAnswer>(before).empty());
    EXPECT_TRUE(all<job::Outcome>(before).empty());
    ASSERT_EQ(all<Journal>(before).size(), 1U);
    coordinator_.journaled(all<Journal>(before)[0].token, at(51));
    const Actions after = take();
    ASSERT_EQ(all<job::ReceiptAnswer>(after).size(), 1U);
    EXPECT_EQ(all<job::ReceiptAnswer>(after)[0].fate, job::ReceiptFate::accepted);
    ASSERT_EQ(all<job::Outcome>(after).size(), 1U);
    EXPECT_EQ(all<job::Outcome>(after)[0].receipt, (Bytes{1, 2}));
    receive(grant.worker, grant.lease, 60);
    const Actions again = take();
    ASSERT_EQ(all<job::ReceiptAnswer>(again).size(), 1U);
    EXPECT_EQ(all<job::ReceiptAnswer>(again)[0].fate, job::ReceiptFate::duplicate);
    EXPECT_TRUE(all<job::Outcome>(again).empty());
}

TEST_F(CoordinatorTest, TakesAnImpureReceiptOfTheCurrentEpochOnly) {
    const job::Grant old = granted(job::Effects::impure);
    bid(3, 2, 4'500);
    coordinator_.time(at(5'000));
    const auto now = all<job::Grant>(settle(5'000));
    ASSERT_EQ(now.size(), 1U);
    receive(old.worker, old.lease, 5'010);
    const Actions stale = take();
    ASSERT_EQ(all<job::ReceiptAnswer>(stale).size(), 1U);
    EXPECT_EQ(all<job::ReceiptAnswer>(stale)[0].fate, job::ReceiptFate::stale);
    receive(now[0].worker, now[0].lease, 5'020);
    EXPECT_EQ(all<job::Outcome>(settle(5'020)).size(), 1U);
}

TEST_F(CoordinatorTest, TakesAPureReceiptOfAnyEpochAndCancelsTheRest) {
    const job::Grant old = granted();
    bid(3, 2, 4'500);
    coordinator_.time(at(5'000));
    const auto now = all<job::Grant>(settle(5'000));
    ASSERT_EQ(now.size(), 1U);
    receive(old.worker, old.lease, 5'010);
    const Actions after = settle(5'010);
    EXPECT_EQ(all<job::Outcome>(after).size(), 1U);
    ASSERT_EQ(all<job::Cancel>(after).size(), 1U);
    EXPECT_EQ(all<job::Cancel>(after)[0].lease, now[0].lease);
}

TEST_F(CoordinatorTest, RefusesAReceiptThatIsNotWhatItClaims) {
    const job::Grant grant = granted();
    receive(grant.worker, grant.lease, 50, {.valid = false, .error = {}, .message = {}});
    const Actions actions = take();
    ASSERT_EQ(all<job::ReceiptAnswer>(actions).size(), 1U);
    EXPECT_EQ(all<job::ReceiptAnswer>(actions)[0].fate, job::ReceiptFate::refused);
}

TEST_F(CoordinatorTest, LeavesAReceiptOfAnUnknownJobToTheLedger) {
    receive(worker_ref(2), {.job = cid(9), .epoch = {1, 1}}, 0);
    EXPECT_EQ(all<UnknownReceipt>(take()).size(), 1U);
}

TEST_F(CoordinatorTest, TriesAgainAfterAPassingFailureAndGivesUpWithBothErrors) {
    JobEntry job = entry(1);
    job.timeouts.attempts_max = 1;
    bid(2, 1, 0);
    coordinator_.submit(std::move(job), at(0));
    const auto first = all<job::Grant>(settle(0));
    receive(first.at(0).worker,
            first[0].lease,
            10,
            {.valid = true, .error = Errc::cid_unavailable, .message = "first"});
    const Actions between = settle(10);
    ASSERT_EQ(all<job::ReceiptAnswer>(between).size(), 1U);
    EXPECT_EQ(all<job::ReceiptAnswer>(between)[0].fate, job::ReceiptFate::accepted);
    receive(first[0].worker,
            first[0].lease,
            20,
            {.valid = true, .error = Errc::cid_unavailable, .message = "first"});
    EXPECT_EQ(coordinator_.view(cid(1))->attempts_failed, 1U) << "doubled: counted once";
    settle(20);
    bid(2, 2, 1'000);
    coordinator_.time(at(1'000));
    const auto second = all<job::Grant>(settle(1'000));
    ASSERT_EQ(second.size(), 1U);
    receive(second[0].worker,
            second[0].lease,
            1'010,
            {.valid = true, .error = Errc::executor_crashed, .message = "second"});
    const auto outcomes = all<job::Outcome>(settle(1'010));
    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_EQ(outcomes[0].error, Errc::attempts_exhausted);
    EXPECT_NE(outcomes[0].message.find("first"), std::string::npos);
    EXPECT_NE(outcomes[0].message.find("second"), std::string::npos);
}

TEST_F(CoordinatorTest, GivesUpWithTheErrorItselfWhenItWasTheSameFirstAndLast) {
    JobEntry job = entry(1);
    job.timeouts.attempts_max = 1;
    bid(2, 1, 0);
    coordinator_.submit(std::move(job), at(0));
    const auto first = all<job::Grant>(settle(0));
    receive(first.at(0).worker,
            first[0].lease,
            10,
            {.valid = true, .error = Errc::cid_unavailable, .message = "first"});
    settle(10);
    bid(2, 2, 1'000);
    coordinator_.time(at(1'000));
    const auto second = all<job::Grant>(settle(1'000));
    receive(second.at(0).worker,
            second[0].lease,
            1'010,
            {.valid = true, .error = Errc::cid_unavailable, .message = "second"});
    const auto outcomes = all<job::Outcome>(settle(1'010));
    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_EQ(outcomes[0].error, Errc::cid_unavailable);
    EXPECT_EQ(outcomes[0].message, "2 attempts failed; the last: second");
}

TEST_F(CoordinatorTest, CancelsAWaitingJobOnceThatIsDurable) {
    coordinator_.submit(entry(1), at(0));
    settle(0);
    ASSERT_TRUE(coordinator_.cancel(cid(1), Errc::cancelled, at(1)));
    const Actions before = take();
    EXPECT_TRUE(all<job::Outcome>(before).empty());
    coordinator_.journaled(all<Journal>(before).at(0).token, at(2));
    EXPECT_EQ(all<job::Outcome>(take()).at(0).error, Errc::cancelled);
    bid(2, 1, 3);
    EXPECT_TRUE(all<job::Grant>(settle(3)).empty());
    EXPECT_FALSE(coordinator_.cancel(cid(1), Errc::cancelled, at(4)));
}

TEST_F(CoordinatorTest, AcknowledgesACancelOnlyWhenTheHolderHasStopped) {
    const job::Grant grant = granted();
    ASSERT_TRUE(coordinator_.cancel(cid(1), Errc::cancelled, at(10)));
    const Actions asked = settle(10);
    EXPECT_EQ(all<job::Cancel>(asked).size(), 1U);
    EXPECT_TRUE(all<job::Outcome>(asked).empty());
    renew(grant, 20);
    EXPECT_EQ(all<job::Cancel>(take()).size(), 1U) << "the first may have been lost";
    coordinator_.message(
        instance(2), job::HandBack{worker_ref(2), grant.lease, Errc::cancelled, ""}, at(30));
    EXPECT_EQ(all<job::Outcome>(settle(30)).size(), 1U);
}

TEST_F(CoordinatorTest, AcknowledgesACancelWhenTheFenceIsOver) {
    granted();
    coordinator_.cancel(cid(1), Errc::cancelled, at(10));
    settle(10);
    coordinator_.time(at(4'999));
    EXPECT_TRUE(all<job::Outcome>(settle(4'999)).empty());
    coordinator_.time(at(5'000));
    EXPECT_EQ(all<job::Outcome>(settle(5'000)).size(), 1U);
}

TEST_F(CoordinatorTest, EndsAJobThatNoWorkerMayTake) {
    coordinator_.submit(entry(1), at(0));
    coordinator_.message(instance(2),
                         job::Bid{.worker = worker_ref(2),
                                  .job = cid(9),
                                  .nonce = nonce(9),
                                  .bytes_local = 0,
                                  .bytes_needed = 0},
                         at(0));
    coordinator_.message(
        instance(2), job::Decline{worker_ref(2), cid(1), Errc::refused, "not yours"}, at(1));
    bid(2, 1, 2);
    EXPECT_TRUE(all<job::Grant>(settle(2)).empty()) << "it has declined";
    coordinator_.time(at(60'000));
    const auto outcomes = all<job::Outcome>(settle(60'000));
    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_EQ(outcomes[0].error, Errc::queue_timeout);
    EXPECT_NE(outcomes[0].message.find("not yours"), std::string::npos);
}

TEST_F(CoordinatorTest, KeepsAJobQueuedWhileItsWorkerIsBusy) {
    granted();
    coordinator_.submit(entry(2), at(1));
    settle(1);
    for (std::int64_t ms = 1'000; ms <= 120'000; ms += 1'000) {
        coordinator_.time(at(ms));
        EXPECT_TRUE(all<job::Outcome>(settle(ms)).empty());
    }
}

TEST_F(CoordinatorTest, EndsAJobAfterItsTotalTimeout) {
    JobEntry job = entry(1);
    job.timeouts.total_ms_max = 500;
    coordinator_.submit(std::move(job), at(0));
    settle(0);
    EXPECT_LE(coordinator_.next_deadline(), at(500));
    coordinator_.time(at(500));
    EXPECT_EQ(all<job::Outcome>(settle(500)).at(0).error, Errc::total_timeout);
}

TEST_F(CoordinatorTest, TakesBackARunThatOutlastsItsStages) {
    JobEntry job = entry(1);
    job.run_max = 1s;
    job.timeouts.fetch_ms_max = job.timeouts.publish_ms_max = 1'000;
    bid(2, 1, 0);
    coordinator_.submit(std::move(job), at(0));
    const job::Grant grant = all<job::Grant>(settle(0)).at(0);
    for (std::int64_t ms = 1'000; ms < 13'000; ms += 1'000) {
        renew(grant, ms);
        EXPECT_EQ(all<job::RenewAnswer>(take()).size(), 1U);
        coordinator_.time(at(ms));
    }
    coordinator_.time(at(13'000));
    EXPECT_EQ(all<job::Cancel>(take()).size(), 1U);
    renew(grant, 13'100);
    EXPECT_TRUE(all<job::RenewAnswer>(take()).empty());
    coordinator_.time(at(17'000));
    EXPECT_EQ(coordinator_.view(cid(1))->last_error->code, Errc::worker_lost);
}

TEST_F(CoordinatorTest, GrantsAJobWhoseWorkerIsLostBeforeThoseThatCameLater) {
    const job::Grant lost = granted(job::Effects::impure);
    coordinator_.submit(entry(2), at(0));
    coordinator_.submit(entry(3), at(0));
    settle(0);
    coordinator_.peer_dead(lost.worker.instance, at(10));
    settle(10);
    coordinator_.time(at(2'000)); // Past the pause before it is tried again.
    settle(2'000);
    bid(3, 1, 2'001);
    const auto grants = all<job::Grant>(settle(2'001));
    ASSERT_EQ(grants.size(), 1U);
    EXPECT_EQ(grants[0].lease.job, cid(1));
}

TEST_F(CoordinatorTest, WaitsOutAnAdoptedLeaseOrRenewsIt) {
    RecoveredJob job{.entry = entry(1),
                     .accepted_at = at(0),
                     .granted = GrantedRecord{.lease = {.job = cid(1), .epoch = {3, 9}},
                                              .worker = worker_ref(2),
                                              .duration = 3s,
                                              .attempt = 1}};
    coordinator_.recovered({job}, 8, at(100));
    bid(3, 1, 100);
    EXPECT_TRUE(all<job::Grant>(settle(100)).empty());
    coordinator_.message(
        instance(2), job::Renew{worker_ref(2), 1, {job.granted->lease}}, at(4'000));
    EXPECT_EQ(all<job::RenewAnswer>(take()).at(0).renewed.size(), 1U);
    bid(3, 2, 8'900);
    coordinator_.time(at(8'999));
    EXPECT_TRUE(all<job::Grant>(settle(8'999)).empty());
    coordinator_.time(at(9'000));
    const auto grants = all<job::Grant>(settle(9'000));
    ASSERT_EQ(grants.size(), 1U);
    EXPECT_EQ(grants[0].lease.epoch.incarnation, 8U);
}

TEST_F(CoordinatorTest, GrantsAnAdoptedJobOfADeadHolderAtOnce) {
    bid(3, 1, 99);
    RecoveredJob job{.entry = entry(1),
                     .accepted_at = at(0),
                     .granted = GrantedRecord{.lease = {.job = cid(1), .epoch = {3, 9}},
                                              .worker = worker_ref(2),
                                              .duration = 3s,
                                              .attempt = 1},
                     .holder = HolderFate::dead};
    coordinator_.recovered({job}, 8, at(100));
    EXPECT_EQ(all<job::Grant>(settle(100)).size(), 1U);
}

TEST_F(CoordinatorTest, EndsAnAdoptedCancel) {
    RecoveredJob job{.entry = entry(1), .accepted_at = at(0)};
    job.cancel_asked = CancelAskedRecord{cid(1), Errc::cancelled};
    coordinator_.recovered({job}, 8, at(100));
    EXPECT_EQ(all<job::Outcome>(settle(100)).at(0).error, Errc::cancelled);
}

TEST_F(CoordinatorTest, AnswersFromTheMemoInOneCommit) {
    coordinator_.submit_answered(entry(1), Bytes{5}, at(0));
    const Actions before = take();
    ASSERT_EQ(all<Journal>(before).at(0).records.size(), 2U);
    coordinator_.journaled(1, at(1));
    const auto outcomes = all<job::Outcome>(take());
    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_TRUE(outcomes[0].from_memo);
    EXPECT_EQ(outcomes[0].attempts, 0U);
}

TEST_F(CoordinatorTest, KnowsAJobThatIsSubmittedAgain) {
    const job::Grant grant = granted();
    coordinator_.submit(entry(1), at(5));
    EXPECT_TRUE(all<job::Accepted>(take()).at(0).known_before);
    receive(grant.worker, grant.lease, 10);
    settle(10);
    coordinator_.submit(entry(1), at(20));
    const Actions actions = take();
    EXPECT_TRUE(all<job::Accepted>(actions).at(0).known_before);
    EXPECT_EQ(all<job::Outcome>(actions).size(), 1U);
}

TEST_F(CoordinatorTest, SaysWhyTheOtherWorkerDidNotRunIt) {
    bid(3, 3, 0);
    granted();
    const auto view = coordinator_.view(cid(1));
    ASSERT_EQ(view->notes.size(), 2U);
    EXPECT_NE(view->notes[0].verdict, view->notes[1].verdict);
    for (const WorkerNote& each : view->notes) {
        EXPECT_TRUE(each.verdict == Verdict::granted || each.verdict == Verdict::not_chosen);
    }
}

TEST(CoordinatorLimits, RefusesOneJobTooMany) {
    CoordinatorOptions options;
    options.jobs_open_max = 1;
    Coordinator coordinator({.instance = instance(1), .key = {}, .incarnation = 1}, options);
    coordinator.submit(entry(1), at(0));
    EXPECT_TRUE(all<job::Rejected>(coordinator.take_actions()).empty());
    coordinator.submit(entry(2), at(0));
    EXPECT_EQ(all<job::Rejected>(coordinator.take_actions()).size(), 1U);
}

TEST(CoordinatorLimits, RefusesBytesBeyondTheMemoryForOpenJobs) {
    CoordinatorOptions options;
    options.invocation_bytes_open_max = 399; // Each has 200.
    Coordinator coordinator({.instance = instance(1), .key = {}, .incarnation = 1}, options);
    coordinator.submit(entry(1), at(0));
    coordinator.submit(entry(2), at(0));
    EXPECT_EQ(all<job::Rejected>(coordinator.take_actions()).size(), 1U);
}

TEST(CoordinatorLimits, ForgetsTheOldestOfItsFinishedJobs) {
    CoordinatorOptions options;
    options.finished_remembered_max = 2;
    Coordinator coordinator({.instance = instance(1), .key = {}, .incarnation = 1}, options);
    for (std::uint64_t i = 1; i <= 3; ++i) {
        coordinator.submit_answered(entry(i), Bytes{1}, at(0));
        coordinator.journaled(i, at(0));
    }
    EXPECT_FALSE(coordinator.view(cid(1)));
    EXPECT_TRUE(coordinator.view(cid(2)));
}

TEST(CoordinatorLimits, KeepsTheFreshestBidsOfAPeerWithTooMany) {
    CoordinatorOptions options;
    options.bids_per_peer_max = 2;
    Coordinator coordinator({.instance = instance(1), .key = {}, .incarnation = 1}, options);
    for (std::uint8_t i = 1; i <= 3; ++i) {
        coordinator.message(instance(2),
                            job::Bid{.worker = worker_ref(2),
                                     .job = {},
                                     .nonce = nonce(i),
                                     .bytes_local = 0,
                                     .bytes_needed = 0},
                            at(0));
    }
    EXPECT_EQ(coordinator.counts().bids, 2U);
}

TEST(Options, RefuseTimesThatDoNotHoldTogether) {
    EXPECT_TRUE(check(CoordinatorOptions{}).ok());
    EXPECT_TRUE(check(WorkerOptions{}).ok());
    CoordinatorOptions old_bids;
    old_bids.bid_age_max = old_bids.timing.duration;
    EXPECT_EQ(check(old_bids).error().code, Errc::usage);
    WorkerOptions late;
    late.timing.renew_every = 1'501ms;
    EXPECT_EQ(check(late).error().code, Errc::usage);
}

} // namespace
} // namespace ic::lease
