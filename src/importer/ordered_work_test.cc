#include "importer/ordered_work.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <vector>

namespace ic::importer {
namespace {

struct Number {
    int value = 0;
    int squared = 0;
};

/// Hands out 0 to `count` - 1.
auto numbers_below(int count) {
    return [next = 0, count]() mutable -> Result<std::optional<Number>> {
        if (next == count) {
            return std::optional<Number>();
        }
        return std::optional<Number>(Number{.value = next++});
    };
}

class OrderedWork : public testing::TestWithParam<std::size_t> {
protected:
    WorkShape shape() const { return {.threads = GetParam(), .jobs_max = GetParam() + 3}; }
};

INSTANTIATE_TEST_SUITE_P(Threads, OrderedWork, testing::Values(1, 2, 3, 8));

TEST_P(OrderedWork, HandsOnInTheOrderOfTaking) {
    auto next = numbers_below(2000);
    std::vector<int> handed_on;
    const Result<void> done = do_in_order<Number>(
        shape(),
        [&] { return next(); },
        [](Number& number) -> Result<void> {
            if (number.value % 7 == 0) {
                std::this_thread::yield();
            }
            number.squared = number.value * number.value;
            return {};
        },
        [&](Number& number) -> Result<void> {
            EXPECT_EQ(number.squared, number.value * number.value);
            handed_on.push_back(number.value);
            return {};
        });
    ASSERT_TRUE(done.ok());
    ASSERT_EQ(handed_on.size(), 2000U);
    for (int value = 0; value < 2000; ++value) {
        ASSERT_EQ(handed_on[static_cast<std::size_t>(value)], value);
    }
}

TEST_P(OrderedWork, EndsWithTheFirstErrorInTheOrderOfJobs) {
    auto next = numbers_below(1000);
    int handed_on = 0;
    const Result<void> done = do_in_order<Number>(
        shape(),
        [&] { return next(); },
        [](Number& number) -> Result<void> {
            if (number.value >= 100) {
                return Error{Errc::not_found, std::to_string(number.value)};
            }
            return {};
        },
        [&](Number&) -> Result<void> {
            ++handed_on;
            return {};
        });
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().message, "100");
    EXPECT_EQ(handed_on, 100) << "everything before it, nothing behind it";
}

TEST_P(OrderedWork, HandsOnWhatWasTakenBeforeTakingFailed) {
    auto next = numbers_below(50);
    int handed_on = 0;
    const Result<void> done = do_in_order<Number>(
        shape(),
        [&]() -> Result<std::optional<Number>> {
            std::optional<Number> number = TRY(next());
            if (!number) {
                return Error{Errc::unavailable, "no more"};
            }
            return number;
        },
        [](Number&) -> Result<void> { return {}; },
        [&](Number&) -> Result<void> {
            ++handed_on;
            return {};
        });
    EXPECT_EQ(done.error().message, "no more");
    EXPECT_EQ(handed_on, 50);
}

TEST_P(OrderedWork, TakesNoMoreThanItMayHold) {
    auto next = numbers_below(500);
    std::atomic<int> on_the_way = 0, most = 0;
    const Result<void> done = do_in_order<Number>(
        shape(),
        [&] {
            Result<std::optional<Number>> number = next();
            if (*number) {
                most = std::max(most.load(), ++on_the_way);
            }
            return number;
        },
        [](Number& number) -> Result<void> {
            if (number.value == 0) { // All others could run away meanwhile.
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
            }
            return {};
        },
        [&](Number&) -> Result<void> {
            --on_the_way;
            return {};
        });
    ASSERT_TRUE(done.ok());
    EXPECT_LE(most, static_cast<int>(shape().jobs_max));
}

TEST_P(OrderedWork, MakesWhatIsThrownAnError) {
    auto next = numbers_below(10);
    const Result<void> done = do_in_order<Number>(
        shape(),
        [&] { return next(); },
        [](Number& number) -> Result<void> {
            if (number.value == 5) {
                std::vector<int>().at(1) = 0; // std::out_of_range.
            }
            return {};
        },
        [](Number&) -> Result<void> { return {}; });
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, Errc::internal);
}

} // namespace
} // namespace ic::importer
