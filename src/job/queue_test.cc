#include "job/queue.h"
#include "job/testing/samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace ic::job {
namespace {

PublicKey submitter(std::uint8_t number) {
    PublicKey key;
    key.bytes.fill(number);
    return key;
}

/// A CID for each number.
Cid job_of(std::uint32_t number) {
    return Cid::v1(Codec::raw, HashCode::identity, bytes_of(std::to_string(number)));
}

QueuedJob queued(std::uint32_t number,
                 std::uint8_t whose,
                 std::uint32_t priority = 0,
                 std::uint64_t cost = 1) {
    return {
        .job = job_of(number), .submitter = submitter(whose), .priority = priority, .cost = cost};
}

TEST(Queue, PopsOneSubmittersJobsInOrderOfArrival) {
    Queue queue;
    for (std::uint32_t number = 0; number < 5; ++number) {
        ASSERT_TRUE(queue.push(queued(number, 1)));
    }
    for (std::uint32_t number = 0; number < 5; ++number) {
        EXPECT_EQ(queue.front()->job, job_of(number));
        EXPECT_EQ(queue.pop()->job, job_of(number));
    }
    EXPECT_FALSE(queue.pop());
    EXPECT_FALSE(queue.front());
}

TEST(Queue, ASubmitterWithTenThousandJobsDoesNotDelayAnothersFirst) {
    Queue queue;
    for (std::uint32_t number = 0; number < 10'000; ++number) {
        ASSERT_TRUE(queue.push(queued(number, 1, 9)));
    }
    ASSERT_TRUE(queue.pop());
    ASSERT_TRUE(queue.push(queued(20'000, 2, 0)));
    EXPECT_LE(*queue.position(job_of(20'000)), 1U);
    const std::array<QueuedJob, 2> next{*queue.pop(), *queue.pop()};
    EXPECT_TRUE(next[0].submitter == submitter(2) || next[1].submitter == submitter(2));
}

TEST(Queue, PrioritiesOrderASubmittersOwnJobsOnly) {
    Queue queue;
    ASSERT_TRUE(queue.push(queued(1, 1, 0)));
    ASSERT_TRUE(queue.push(queued(2, 2, 0)));
    ASSERT_TRUE(queue.push(queued(3, 1, 9)));
    ASSERT_TRUE(queue.push(queued(4, 1, 9)));
    EXPECT_EQ(queue.pop()->job, job_of(3)) << "9 before 0";
    EXPECT_EQ(queue.pop()->job, job_of(2)) << "nobody overtakes another by priority";
    EXPECT_EQ(queue.pop()->job, job_of(4));
    EXPECT_EQ(queue.pop()->job, job_of(1));
}

TEST(Queue, WorkServedToThoseWhoWaitDiffersByOneJobsCostAtMost) {
    Queue queue;
    std::mt19937 random(1);
    constexpr std::uint64_t cost_max = 7;
    for (std::uint32_t number = 0; number < 3'000; ++number) {
        const auto whose = static_cast<std::uint8_t>(number % 3);
        const std::uint64_t cost = whose == 0 ? cost_max : 1 + random() % cost_max;
        ASSERT_TRUE(
            queue.push(queued(number, whose, static_cast<std::uint32_t>(random() % 10), cost)));
    }
    std::array<std::uint64_t, 3> served{};
    for (int round = 0; round < 1'000; ++round) {
        const QueuedJob job = *queue.pop();
        served[job.submitter.bytes[0]] += job.cost;
        const auto [least, most] = std::ranges::minmax(served);
        ASSERT_LE(most - least, cost_max) << round;
    }
}

TEST(Queue, WhoAlwaysComesBackAtOnceGetsNoMoreThanItsShare) {
    Queue queue;
    std::uint32_t number = 0;
    for (; number < 100; ++number) {
        ASSERT_TRUE(queue.push(queued(number, 1)));
    }
    // Submitter 2 has one job queued at a time, and each costs ten of the other's.
    int of_the_other = 0;
    ASSERT_TRUE(queue.push(queued(number++, 2, 0, 10)));
    for (int round = 0; round < 55; ++round) {
        if (queue.pop()->submitter == submitter(1)) {
            ++of_the_other;
        } else {
            ASSERT_TRUE(queue.push(queued(number++, 2, 0, 10)));
        }
    }
    EXPECT_GE(of_the_other, 49);
    EXPECT_LE(of_the_other, 51);
}

TEST(Queue, WhoWasAwayIsOwedNothing) {
    Queue queue;
    for (std::uint32_t number = 0; number < 100; ++number) {
        ASSERT_TRUE(queue.push(queued(number, 1)));
    }
    for (int round = 0; round < 50; ++round) {
        ASSERT_TRUE(queue.pop());
    }
    for (std::uint32_t number = 100; number < 110; ++number) {
        ASSERT_TRUE(queue.push(queued(number, 2)));
    }
    int of_the_first = 0;
    for (int round = 0; round < 10; ++round) {
        of_the_first += queue.pop()->submitter == submitter(1) ? 1 : 0;
    }
    EXPECT_EQ(of_the_first, 5);
}

TEST(Queue, AJobThatComesBackKeepsItsPlace) {
    Queue queue;
    ASSERT_TRUE(queue.push(queued(1, 1)));
    ASSERT_TRUE(queue.push(queued(2, 1)));
    const QueuedJob first = *queue.pop();
    ASSERT_TRUE(queue.push(first, Place::front));
    EXPECT_EQ(queue.pop()->job, job_of(1));
}

TEST(Queue, RemoveChargesNothingAndTakeChargesATurn) {
    Queue queue;
    for (const std::uint32_t number : {1U, 2U, 3U}) {
        ASSERT_TRUE(queue.push(queued(number, 1)));
    }
    ASSERT_TRUE(queue.push(queued(4, 2)));
    EXPECT_TRUE(queue.remove(job_of(1)));
    EXPECT_FALSE(queue.remove(job_of(1)));
    EXPECT_EQ(queue.front()->job, job_of(2)) << "still its turn";
    EXPECT_EQ(queue.take(job_of(3))->job, job_of(3));
    EXPECT_FALSE(queue.take(job_of(3)));
    EXPECT_EQ(queue.pop()->job, job_of(4)) << "the turn was used";
    EXPECT_TRUE(queue.contains(job_of(2)));
    EXPECT_FALSE(queue.contains(job_of(4)));
    EXPECT_EQ(queue.size(), 1U);
}

TEST(Queue, RefusesOnePastEachLimitAndTakesKnownJobsAgain) {
    Queue queue({.jobs_max = 3, .jobs_per_submitter_max = 2});
    ASSERT_TRUE(queue.push(queued(1, 1)));
    ASSERT_TRUE(queue.push(queued(2, 1)));
    EXPECT_EQ(queue.push(queued(3, 1)).error().code, Errc::unavailable);
    ASSERT_TRUE(queue.push(queued(3, 2)));
    EXPECT_EQ(queue.push(queued(4, 3)).error().code, Errc::unavailable);
    EXPECT_TRUE(queue.push(queued(1, 1)));
    EXPECT_EQ(queue.size(), 3U);
    ASSERT_TRUE(queue.pop());
    EXPECT_TRUE(queue.push(queued(4, 3)));
}

TEST(Queue, PositionIsWhatPopThenShows) {
    for (std::uint32_t seed = 0; seed < 30; ++seed) {
        std::mt19937 random(seed);
        Queue queue;
        std::vector<Cid> jobs;
        for (std::uint32_t number = 0; number < 60; ++number) {
            const auto whose = static_cast<std::uint8_t>(random() % 5);
            jobs.push_back(job_of(number));
            ASSERT_TRUE(
                queue.push(queued(number, whose, static_cast<std::uint32_t>(random() % 3))));
            if (random() % 3 == 0) {
                ASSERT_TRUE(queue.pop());
            }
        }
        std::vector<std::pair<Cid, std::size_t>> expected;
        for (const Cid& job : jobs) {
            if (const std::optional<std::size_t> position = queue.position(job)) {
                expected.emplace_back(job, *position);
            }
        }
        ASSERT_EQ(expected.size(), queue.size());
        std::vector<Cid> order;
        while (const std::optional<QueuedJob> job = queue.pop()) {
            order.push_back(job->job);
        }
        for (const auto& [job, position] : expected) {
            EXPECT_EQ(order.at(position), job) << "seed " << seed;
        }
    }
    EXPECT_FALSE(Queue{}.position(job_of(1)));
}

} // namespace
} // namespace ic::job
