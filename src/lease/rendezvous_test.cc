#include "lease/rendezvous.h"
#include "lease/testing/machines.h"
#include "lease/worker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace ic::lease {
namespace {

using namespace testing;

constexpr std::uint64_t all = std::numeric_limits<std::uint64_t>::max();

TEST(Rendezvous, CallsEveryoneWhereTheNetworkIsSmallOrNotKnown) {
    EXPECT_EQ(rendezvous_threshold({}, 0), all);
    EXPECT_EQ(rendezvous_threshold({.workers = 16, .bidders = 16}, 0), all);
}

TEST(Rendezvous, CallsAsManyAsAreWantedWhateverTheSizeOfTheNetwork) {
    for (const std::uint64_t workers : {1'000U, 100'000U}) {
        const RendezvousOptions options{.workers = workers, .bidders = 16};
        std::uint64_t called = 0;
        constexpr std::uint64_t jobs = 100;
        for (std::uint64_t job = 0; job < jobs; ++job) {
            const std::uint64_t bits = rendezvous_bits(cid(job));
            for (std::uint64_t worker = 0; worker < workers; ++worker) {
                const bool is_called =
                    rendezvous_score(bits, worker) <= rendezvous_threshold(options, 0);
                called += is_called ? 1 : 0;
            }
        }
        // 1,600 expected, with a standard deviation of 40.
        EXPECT_NEAR(static_cast<double>(called), 1'600, 200);
    }
}

TEST(Rendezvous, RisesUntilEveryoneIsCalled) {
    const RendezvousOptions options{.workers = 1'000'000, .bidders = 16};
    const std::uint64_t first = rendezvous_threshold(options, 0);
    EXPECT_EQ(rendezvous_threshold(options, 1), first) << "the first repetition calls no others";
    EXPECT_EQ(rendezvous_threshold(options, 2), 2 * first);
    EXPECT_EQ(rendezvous_threshold(options, 5), 16 * first);
    EXPECT_EQ(rendezvous_threshold(options, 17), all);
    EXPECT_EQ(rendezvous_threshold(options, std::numeric_limits<std::uint32_t>::max()), all);
}

TEST(Rendezvous, WorkerBidsAtTheAnnouncementThatFindsItsScoreBelowTheThreshold) {
    WorkerOptions options;
    options.rendezvous = {.workers = 1'000'000, .bidders = 1};
    const std::uint64_t score =
        rendezvous_score(rendezvous_bits(cid(1)), rendezvous_bits(worker_ref(2).key));
    std::uint32_t needed = 0;
    while (score > rendezvous_threshold(options.rendezvous, needed)) {
        ++needed;
    }
    ASSERT_GE(needed, 1U);
    CountingNonces nonces;
    Worker worker(worker_ref(2), options, nonces);
    worker.start(at(0));
    const auto is_bid_for = [](const WorkerAction& action) {
        const auto* sent = std::get_if<Send>(&action);
        return sent != nullptr && sent->to == instance(3) &&
               std::holds_alternative<job::Bid>(sent->message);
    };
    for (std::uint32_t heard = 0; heard <= needed; ++heard) {
        (void)worker.take_actions();
        worker.message(
            instance(3),
            job::Announce{
                .coordinator = instance(3), .coordinator_key = {}, .job = cid(1), .invocation = {}},
            at(heard));
        EXPECT_EQ(std::ranges::count_if(worker.take_actions(), is_bid_for),
                  heard == needed ? 1 : 0);
    }
}

} // namespace
} // namespace ic::lease
