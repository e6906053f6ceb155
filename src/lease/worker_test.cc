#include "lease/testing/machines.h"
#include "lease/worker.h"

#include <gtest/gtest.h>

namespace ic::lease {
namespace {

using namespace std::chrono_literals;
using namespace testing;

class WorkerTest : public ::testing::Test {
protected:
    using Actions = std::vector<WorkerAction>;

    void SetUp() override { worker_.start(at(0)); }

    Actions take() { return worker_.take_actions(); }

    job::Grant grant_for(const job::Nonce& nonce,
                         std::uint64_t job = 1,
                         std::uint64_t n = 1,
                         std::uint8_t coordinator = 2) {
        return {.coordinator = instance(coordinator),
                .lease = {.job = cid(job), .epoch = {1, n}},
                .worker = worker_ref(2),
                .nonce = nonce,
                .duration = 3s,
                .invocation = Bytes{9}};
    }

    /// Grants job 1 on the first standing bid, at this time.
    job::LeaseRef started(std::int64_t ms) {
        const auto bids = all<job::Bid>(take());
        EXPECT_EQ(bids.size(), 1U);
        const job::Grant grant = grant_for(bids.at(0).nonce);
        worker_.message(instance(2), grant, at(ms));
        return grant.lease;
    }

    CountingNonces nonces_;
    // Worker and own coordinator are instance 2; instance 3 is another coordinator.
    Worker worker_{worker_ref(2), {}, nonces_};
};

TEST_F(WorkerTest, BidsWithItsOwnCoordinatorFromTheStart) {
    const Actions actions = take();
    ASSERT_EQ(actions.size(), 1U);
    EXPECT_EQ(std::get<Send>(actions[0]).to, instance(2));
    EXPECT_FALSE(all<job::Bid>(actions).at(0).job);
}

TEST_F(WorkerTest, CountsTheLeaseFromWhenTheBidWasSent) {
    started(900);
    const auto runs = all<StartRun>(take());
    ASSERT_EQ(runs.size(), 1U);
    EXPECT_EQ(runs[0].lease_until, at(3'000));
}

TEST_F(WorkerTest, TakesAGrantOnceHoweverOftenItComes) {
    const auto bids = all<job::Bid>(take());
    const job::Grant grant = grant_for(bids.at(0).nonce);
    worker_.message(instance(2), grant, at(1));
    worker_.message(instance(2), grant, at(2));
    Actions actions = take();
    EXPECT_EQ(all<StartRun>(actions).size(), 1U);
    EXPECT_TRUE(all<job::HandBack>(actions).empty());
    worker_.run_finished(grant.lease, {.receipt = {}, .message = {}}, at(3));
    take();
    worker_.message(instance(2), grant, at(4));
    actions = take();
    EXPECT_TRUE(all<StartRun>(actions).empty());
    EXPECT_EQ(all<job::HandBack>(actions).size(), 1U);
}

TEST_F(WorkerTest, HandsBackAGrantThatAnswersNoBid) {
    take();
    worker_.message(instance(2), grant_for(nonce(200)), at(1));
    const Actions actions = take();
    EXPECT_TRUE(all<StartRun>(actions).empty());
    EXPECT_EQ(all<job::HandBack>(actions).size(), 1U);
}

TEST_F(WorkerTest, HandsBackAGrantFromAnotherThanItBidWith) {
    const auto bids = all<job::Bid>(take());
    worker_.message(instance(3), grant_for(bids.at(0).nonce, 1, 1, 3), at(1));
    const Actions actions = take();
    EXPECT_TRUE(all<StartRun>(actions).empty());
    EXPECT_EQ(all<job::HandBack>(actions).size(), 1U);
}

TEST_F(WorkerTest, RefreshesItsBidsAndVoidsTheOldOnes) {
    const auto old = all<job::Bid>(take());
    worker_.time(at(1'000));
    const Actions actions = take();
    ASSERT_EQ(all<job::Withdraw>(actions).size(), 1U);
    EXPECT_EQ(all<job::Withdraw>(actions)[0].nonce, old.at(0).nonce);
    ASSERT_EQ(all<job::Bid>(actions).size(), 1U);
    worker_.message(instance(2), grant_for(old[0].nonce), at(1'001));
    EXPECT_EQ(all<job::HandBack>(take()).size(), 1U);
}

TEST_F(WorkerTest, OffersOneSlotToSeveralAndWithdrawsTheRest) {
    const auto own = all<job::Bid>(take());
    worker_.message(instance(3), job::Announce{instance(3), {}, cid(5), {}}, at(10));
    const Actions announced = take();
    ASSERT_EQ(all<job::Bid>(announced).size(), 1U);
    worker_.message(instance(2), grant_for(own.at(0).nonce), at(20));
    const Actions granted = take();
    EXPECT_EQ(all<StartRun>(granted).size(), 1U);
    ASSERT_EQ(all<job::Withdraw>(granted).size(), 1U);
    EXPECT_EQ(all<job::Withdraw>(granted)[0].nonce, all<job::Bid>(announced)[0].nonce);
    worker_.message(instance(3), grant_for(all<job::Bid>(announced)[0].nonce, 5, 1, 3), at(30));
    EXPECT_EQ(all<job::HandBack>(take()).size(), 1U);
}

TEST_F(WorkerTest, StopsBiddingWithACoordinatorThatAnnouncesNoMore) {
    take();
    worker_.message(instance(3), job::Announce{instance(3), {}, cid(5), {}}, at(0));
    std::size_t to_other = 0;
    for (std::int64_t ms = 0; ms <= 20'000; ms += 500) {
        worker_.time(at(ms));
        for (const Send& send : all<Send>(take())) {
            to_other +=
                send.to == instance(3) && std::holds_alternative<job::Bid>(send.message) ? 1U : 0U;
        }
    }
    EXPECT_GE(to_other, 4U);
    EXPECT_LE(to_other, 7U);
}

TEST_F(WorkerTest, RenewsAndCountsFromWhenTheRequestWasSent) {
    const job::LeaseRef lease = started(0);
    take();
    worker_.time(at(1'000));
    const auto renews = all<job::Renew>(take());
    ASSERT_EQ(renews.size(), 1U);
    EXPECT_EQ(renews[0].leases, std::vector{lease});
    worker_.message(
        instance(2), job::RenewAnswer{instance(2), renews[0].sequence, 3s, {lease}, {}}, at(1'800));
    const auto untils = all<LeaseUntil>(take());
    ASSERT_EQ(untils.size(), 1U);
    EXPECT_EQ(untils[0].until, at(4'000));
}

TEST_F(WorkerTest, StopsTheRunWhenItsLeaseEnds) {
    const job::LeaseRef lease = started(0);
    take();
    worker_.time(at(2'999));
    EXPECT_TRUE(all<StopRun>(take()).empty());
    worker_.time(at(3'000));
    ASSERT_EQ(all<StopRun>(take()).size(), 1U);
    EXPECT_EQ(worker_.counts().slots_free, 0U) << "until nothing of it is alive";
    worker_.run_finished(lease, {.receipt = {}, .message = {}}, at(3'010));
    const Actions actions = take();
    ASSERT_EQ(all<job::HandBack>(actions).size(), 1U);
    EXPECT_EQ(all<job::HandBack>(actions)[0].reason, Errc::lease_lost);
    EXPECT_EQ(all<job::Bid>(actions).size(), 1U);
}

TEST_F(WorkerTest, NeverTakesUpALeaseThatHasEnded) {
    const job::LeaseRef lease = started(0);
    worker_.time(at(1'000));
    const auto renews = all<job::Renew>(take());
    worker_.message(instance(2),
                    job::RenewAnswer{instance(2), renews.at(0).sequence, 3s, {lease}, {}},
                    at(3'500)); // Would hold until 4'000.
    const Actions actions = take();
    EXPECT_EQ(all<StopRun>(actions).size(), 1U);
    EXPECT_TRUE(all<LeaseUntil>(actions).empty());
}

TEST_F(WorkerTest, StopsARunThatIsAnsweredLost) {
    const job::LeaseRef lease = started(0);
    worker_.time(at(1'000));
    const auto renews = all<job::Renew>(take());
    worker_.message(instance(2),
                    job::RenewAnswer{instance(2), renews.at(0).sequence, 3s, {}, {lease}},
                    at(1'010));
    EXPECT_EQ(all<StopRun>(take()).size(), 1U);
}

TEST_F(WorkerTest, SendsAReceiptAgainUntilItIsAnswered) {
    const job::LeaseRef lease = started(0);
    worker_.run_finished(lease, {.receipt = Bytes{4}, .message = {}}, at(100));
    EXPECT_EQ(all<job::ReceiptMessage>(take()).size(), 1U);
    std::size_t again = 0;
    for (std::int64_t ms = 101; ms <= 10'000; ++ms) {
        worker_.time(at(ms));
        again += all<job::ReceiptMessage>(take()).size();
    }
    EXPECT_GE(again, 6U);
    EXPECT_LE(again, 10U);
    worker_.message(instance(2),
                    job::ReceiptAnswer{instance(2), lease, job::ReceiptFate::accepted},
                    at(10'001));
    EXPECT_EQ(worker_.counts().receipts_unanswered, 0U);
}

TEST_F(WorkerTest, RenewsWithWhoeverAnswersOnceItsCoordinatorIsGone) {
    const auto own = all<job::Bid>(take());
    worker_.message(instance(3), job::Announce{instance(3), {}, cid(5), {}}, at(0));
    const auto bids = all<job::Bid>(take());
    const job::Grant grant = grant_for(bids.at(0).nonce, 5, 1, 3);
    worker_.message(instance(3), grant, at(1));
    take();
    worker_.peer_dead(instance(3), at(300));
    const Actions gone = take();
    ASSERT_EQ(all<Announcement>(gone).size(), 1U);
    const auto renews = all<job::Renew>(gone);
    ASSERT_EQ(renews.size(), 1U);
    worker_.message(instance(4),
                    job::RenewAnswer{instance(4), renews[0].sequence, 3s, {grant.lease}, {}},
                    at(320));
    EXPECT_EQ(all<LeaseUntil>(take()).at(0).until, at(3'300));
    worker_.run_finished(grant.lease, {.receipt = Bytes{4}, .message = {}}, at(400));
    for (const Send& send : all<Send>(take())) {
        if (std::holds_alternative<job::ReceiptMessage>(send.message)) {
            EXPECT_EQ(send.to, instance(4));
        }
    }
    EXPECT_EQ(worker_.counts().receipts_unanswered, 1U);
}

TEST_F(WorkerTest, SendsReceiptsToEverybodyOnceTheirCoordinatorIsGone) {
    take();
    worker_.message(instance(3), job::Announce{instance(3), {}, cid(5), {}}, at(0));
    const job::Grant grant = grant_for(all<job::Bid>(take()).at(0).nonce, 5, 1, 3);
    worker_.message(instance(3), grant, at(1));
    worker_.run_finished(grant.lease, {.receipt = Bytes{4}, .message = {}}, at(2));
    take();
    worker_.peer_dead(instance(3), at(10));
    const Actions actions = take();
    EXPECT_EQ(all<Announcement>(actions).size(), 1U);
    worker_.message(instance(4),
                    job::ReceiptAnswer{instance(4), grant.lease, job::ReceiptFate::accepted},
                    at(20));
    EXPECT_EQ(worker_.counts().receipts_unanswered, 0U);
}

TEST_F(WorkerTest, StopsACancelledRunAndSaysSo) {
    const job::LeaseRef lease = started(0);
    take();
    worker_.message(instance(2), job::Cancel{instance(2), lease, Errc::cancelled}, at(10));
    EXPECT_EQ(all<StopRun>(take()).at(0).reason, Errc::cancelled);
    worker_.run_finished(lease, {.receipt = {}, .message = {}}, at(20));
    EXPECT_EQ(all<job::HandBack>(take()).at(0).reason, Errc::cancelled);
}

TEST_F(WorkerTest, NeverStartsALeaseThatWasCancelledBeforeItsGrantCame) {
    const auto bids = all<job::Bid>(take());
    const job::Grant grant = grant_for(bids.at(0).nonce);
    worker_.message(instance(2), job::Cancel{instance(2), grant.lease, Errc::cancelled}, at(10));
    EXPECT_EQ(all<job::HandBack>(take()).size(), 1U);
    worker_.message(instance(2), grant, at(20));
    EXPECT_TRUE(all<StartRun>(take()).empty());
}

TEST_F(WorkerTest, StartsNoSecondRunOfAJobBesideAnEndingOne) {
    WorkerOptions options;
    options.slots = 2;
    Worker worker(worker_ref(2), options, nonces_);
    worker.start(at(0));
    const auto bids = all<job::Bid>(worker.take_actions());
    ASSERT_EQ(bids.size(), 2U);
    worker.message(instance(2), grant_for(bids[0].nonce, 1, 1), at(1));
    worker.message(instance(2), grant_for(bids[1].nonce, 1, 2), at(2));
    const auto actions = worker.take_actions();
    EXPECT_EQ(all<StartRun>(actions).size(), 1U);
    EXPECT_EQ(all<job::HandBack>(actions).size(), 1U);
}

TEST_F(WorkerTest, BidsNoMoreWhenDrained) {
    take();
    worker_.drain(at(1));
    EXPECT_EQ(all<job::Withdraw>(take()).size(), 1U);
    worker_.time(at(5'000));
    EXPECT_TRUE(all<job::Bid>(take()).empty());
    EXPECT_TRUE(worker_.idle());
}

TEST_F(WorkerTest, BidsNoMoreWhileTooManyReceiptsAreUnanswered) {
    WorkerOptions options;
    options.receipts_max = 1;
    Worker worker(worker_ref(2), options, nonces_);
    worker.start(at(0));
    const job::Grant grant = grant_for(all<job::Bid>(worker.take_actions()).at(0).nonce);
    worker.message(instance(2), grant, at(1));
    worker.run_finished(grant.lease, {.receipt = Bytes{1}, .message = {}}, at(2));
    EXPECT_TRUE(all<job::Bid>(worker.take_actions()).empty());
    worker.message(instance(2), job::ReceiptAnswer{instance(2), grant.lease, {}}, at(3));
    EXPECT_EQ(all<job::Bid>(worker.take_actions()).size(), 1U);
}

} // namespace
} // namespace ic::lease
