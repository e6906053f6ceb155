/// What a worker says of itself to everybody, and when.

#include "lease/testing/machines.h"

#include <gtest/gtest.h>

#include <set>

namespace ic::lease {
namespace {

using namespace std::chrono_literals;
using namespace testing;

WorkerOptions advertising() {
    WorkerOptions options;
    options.slots = 2;
    options.advert_every = 10s;
    options.software = "test/1";
    options.labels = {{"region", "eu"}};
    options.features = {"wasi-p1-core/1"};
    return options;
}

struct Said {
    std::int64_t ms = 0;
    job::Advert advert;
};

/// Adverts to everybody among the actions.
std::vector<job::Advert> to_all(const std::vector<WorkerAction>& actions) {
    std::vector<job::Advert> found;
    for (const Announcement& announcement : all<Announcement>(actions)) {
        if (const auto* advert = std::get_if<job::Advert>(&announcement.message)) {
            found.push_back(*advert);
        }
    }
    return found;
}

/// All that it says until then, woken whenever it asks to be.
std::vector<Said> listen(Worker& worker, std::int64_t from_ms, std::int64_t until_ms) {
    std::vector<Said> said;
    Instant now = at(from_ms);
    for (;;) {
        for (job::Advert& advert : to_all(worker.take_actions())) {
            const auto ms =
                std::chrono::duration_cast<std::chrono::milliseconds>(now.since_boot).count();
            said.push_back({ms, std::move(advert)});
        }
        now = std::max(worker.next_deadline(), now);
        if (now >= at(until_ms)) {
            return said;
        }
        worker.time(now);
    }
}

TEST(WorkerAdverts, SayWhatItIsAtOnceAndThenAtItsPace) {
    CountingNonces nonces;
    Worker worker(worker_ref(2), advertising(), nonces);
    worker.set_store_bytes(77);
    worker.start(at(0));
    const std::vector<Said> said = listen(worker, 0, 120'000);
    ASSERT_GE(said.size(), 8U);
    EXPECT_EQ(said.front().ms, 0);
    EXPECT_EQ(said.front().advert,
              (job::Advert{.worker = worker_ref(2),
                           .slots = 2,
                           .slots_free = 2,
                           .software = "test/1",
                           .labels = {{"region", "eu"}},
                           .features = {"wasi-p1-core/1"},
                           .store_bytes = 77,
                           .again_within = 12'500ms}));
    EXPECT_EQ(said[1].ms, 1'000) << "soon again: the first one may have found nobody";
    for (std::size_t index = 1; index < said.size(); ++index) {
        EXPECT_LE(said[index].ms - said[index - 1].ms, 12'500);
    }
    for (std::size_t index = 6; index < said.size(); ++index) {
        EXPECT_GE(said[index].ms - said[index - 1].ms, 7'500);
    }
}

TEST(WorkerAdverts, OfSeveralWorkersComeAtOtherTimes) {
    std::set<std::int64_t> last;
    for (std::uint8_t number = 2; number < 22; ++number) {
        CountingNonces nonces;
        Worker worker(worker_ref(number), advertising(), nonces);
        worker.start(at(0));
        last.insert(listen(worker, 0, 100'000).back().ms);
    }
    EXPECT_GE(last.size(), 15U);
}

TEST(WorkerAdverts, ComeSoonAfterItIsIdleNoMoreAndAtOnceWhenItTakesNothing) {
    CountingNonces nonces;
    WorkerOptions options = advertising();
    options.slots = 1;
    Worker worker(worker_ref(2), options, nonces);
    worker.start(at(0));
    listen(worker, 0, 60'000);
    const auto bids = all<job::Bid>([&] {
        worker.message(instance(2), job::Announce{instance(2), {}, cid(1), {}}, at(60'000));
        worker.time(at(61'500));
        return worker.take_actions();
    }());
    ASSERT_FALSE(bids.empty());
    job::Grant grant;
    grant.coordinator = instance(2);
    grant.lease = {.job = cid(1), .epoch = {1, 1}};
    grant.worker = worker_ref(2);
    grant.nonce = bids.back().nonce;
    grant.duration = 3s;
    worker.message(instance(2), grant, at(61'600));
    ASSERT_EQ(worker.counts().leases, 1U);
    const std::vector<Said> said = listen(worker, 61'600, 64'000);
    ASSERT_FALSE(said.empty());
    EXPECT_EQ(said.front().advert.slots_free, 0U);
    worker.drain(at(64'000));
    const auto drained = to_all(worker.take_actions());
    ASSERT_EQ(drained.size(), 1U);
    EXPECT_EQ(drained[0].slots, 0U);
}

TEST(WorkerAdverts, DoNotCountSlotsThatOnlyTakeJobsAhead) {
    CountingNonces nonces;
    Worker worker(worker_ref(2), advertising(), nonces);
    worker.start(at(0));
    worker.set_slots(8, at(1));
    EXPECT_EQ(listen(worker, 1, 30'000).back().advert.slots, 2U);
}

TEST(WorkerAdverts, GetRarerAsTheNetworkGrows) {
    CountingNonces nonces;
    Worker worker(worker_ref(2), advertising(), nonces);
    worker.set_network_size(10'000);
    worker.start(at(0));
    const std::vector<Said> said = listen(worker, 0, 2'000'000);
    const std::int64_t pause = said.back().ms - said[said.size() - 2].ms;
    EXPECT_GE(pause, 375'000) << "20 a second of all 10,000 together: each every 500 s";
    EXPECT_LE(pause, 625'000);
    EXPECT_EQ(said.back().advert.again_within, 625'000ms);
}

TEST(WorkerAdverts, AreNotSaidToAllUnlessAsked) {
    CountingNonces nonces;
    WorkerOptions options = advertising();
    options.advert_every = 0ms;
    Worker worker(worker_ref(2), options, nonces);
    worker.start(at(0));
    EXPECT_TRUE(listen(worker, 0, 30'000).empty());
}

// A network that is known to be large: only those whom a job calls bid for it.
TEST(WorkerAdverts, TheSizeOfTheNetworkDecidesWhoIsCalled) {
    const auto bidders = [](std::uint64_t network) {
        std::size_t count = 0;
        for (std::uint8_t number = 2; number < 202; ++number) {
            CountingNonces nonces;
            job::WorkerRef self = worker_ref(number);
            self.key.bytes.back() = static_cast<std::uint8_t>(number * 151U);
            Worker worker(self, {}, nonces);
            worker.set_network_size(network);
            worker.start(at(0));
            worker.take_actions();
            worker.message(instance(1), job::Announce{instance(1), {}, cid(1), {}}, at(1));
            for (const Send& send : all<Send>(worker.take_actions())) {
                count += send.to == instance(1) ? 1U : 0U;
            }
        }
        return count;
    };
    EXPECT_EQ(bidders(0), 200U);
    const std::size_t few = bidders(200);
    EXPECT_GE(few, 4U);
    EXPECT_LE(few, 40U) << "16 of 200 are expected";
}

} // namespace
} // namespace ic::lease
