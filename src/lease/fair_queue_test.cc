#include "lease/fair_queue.h"

#include <gtest/gtest.h>

#include <vector>

namespace ic::lease {
namespace {

PublicKey key(std::uint8_t number) {
    PublicKey made;
    made.bytes.fill(number);
    return made;
}

std::vector<std::uint64_t> drain(FairQueue& queue) {
    std::vector<std::uint64_t> order;
    while (const auto next = queue.front()) {
        order.push_back(*next);
        queue.pop();
    }
    return order;
}

TEST(FairQueue, LetsAnotherSubmitterThroughAMany) {
    FairQueue queue;
    for (std::uint64_t id = 1; id <= 4; ++id) {
        queue.push(id, key(1), 0);
    }
    queue.push(10, key(2), 0);
    EXPECT_EQ(drain(queue), (std::vector<std::uint64_t>{1, 10, 2, 3, 4}));
}

TEST(FairQueue, GivesAHigherPriorityMoreTurnsButNotAll) {
    FairQueue queue;
    for (std::uint64_t id = 1; id <= 6; ++id) {
        queue.push(id, key(1), 2);
        queue.push(10 + id, key(1), 0);
    }
    EXPECT_EQ(drain(queue), (std::vector<std::uint64_t>{1, 2, 3, 11, 4, 5, 6, 12, 13, 14, 15, 16}));
}

TEST(FairQueue, HasWhatComesBackWhereItWas) {
    FairQueue queue;
    for (std::uint64_t id = 1; id <= 4; ++id) {
        queue.push(id, key(1), 0);
    }
    queue.pop();
    queue.erase(3);
    queue.push(3, key(1), 0);
    queue.push(1, key(1), 0);
    EXPECT_EQ(drain(queue), (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

TEST(FairQueue, ForgetsWhatIsErased) {
    FairQueue queue;
    queue.push(1, key(1), 0);
    queue.push(2, key(1), 0);
    queue.erase(1);
    queue.erase(7);
    EXPECT_EQ(queue.size(), 1U);
    EXPECT_EQ(drain(queue), (std::vector<std::uint64_t>{2}));
    EXPECT_EQ(queue.front(), std::nullopt);
}

} // namespace
} // namespace ic::lease
