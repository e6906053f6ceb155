#include "wiring/publication.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <string>
#include <vector>

namespace ic::wiring {
namespace {

using namespace std::chrono_literals;
constexpr auto at_all = 60s; ///< Until something happens that must happen.

Cid root(int number) { return cid_of(Codec::raw, bytes_of(std::to_string(number))); }

/// A Kubo that answers when it is told to.
class SlowKubo {
public:
    Result<void> hand_on(std::span<const Cid> roots, const kubo::Stop& stop) {
        std::unique_lock lock(mutex_);
        requests_.emplace_back(roots.begin(), roots.end());
        changed_.notify_all();
        while (answers_.empty()) {
            changed_.wait_for(lock, 1ms);
            if (std::optional<Error> stopped = stop()) {
                return std::move(*stopped);
            }
        }
        Result<void> answer = std::move(answers_.front());
        answers_.pop_front();
        return answer;
    }

    void answer(Result<void> with) {
        const std::lock_guard lock(mutex_);
        answers_.push_back(std::move(with));
        changed_.notify_all();
    }

    /// The roots of that request, once it has come.
    std::vector<Cid> request(std::size_t number) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, at_all, [&] { return requests_.size() > number; }));
        return requests_.at(number);
    }

    std::size_t requests() {
        const std::lock_guard lock(mutex_);
        return requests_.size();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::vector<Cid>> requests_;
    std::deque<Result<void>> answers_;
};

class PublicationsTest : public ::testing::Test {
protected:
    std::future<Result<void>> publish(int number, kubo::Stop stop = {}) {
        return std::async(std::launch::async, [this, number, stop] {
            return publications.publish(std::vector{root(number)}, stop);
        });
    }

    /// One request is under way, and so many callers wait beside it.
    std::vector<std::future<Result<void>>> with_waiting(std::size_t count) {
        std::vector<std::future<Result<void>>> all;
        all.push_back(publish(0));
        kubo.request(0);
        while (all.size() <= count) {
            all.push_back(publish(static_cast<int>(all.size())));
        }
        const auto until = std::chrono::steady_clock::now() + at_all;
        while (publications.waiting() < count && std::chrono::steady_clock::now() < until) {
            std::this_thread::sleep_for(1ms);
        }
        EXPECT_EQ(publications.waiting(), count);
        return all;
    }

    static Result<void> result_of(std::future<Result<void>>& one) {
        EXPECT_EQ(one.wait_for(at_all), std::future_status::ready);
        return one.get();
    }

    SlowKubo kubo;
    Publications publications{[this](std::span<const Cid> roots, const kubo::Stop& stop) {
                                  return kubo.hand_on(roots, stop);
                              },
                              1};
};

TEST_F(PublicationsTest, ThoseWhoWaitGoTogether) {
    auto all = with_waiting(5);
    EXPECT_EQ(kubo.requests(), 1U);
    for (int answers = 0; answers < 6; ++answers) {
        kubo.answer({});
    }
    for (auto& one : all) {
        EXPECT_TRUE(result_of(one).ok());
    }
    std::size_t handed_on = 0;
    for (std::size_t number = 0; number < kubo.requests(); ++number) {
        handed_on += kubo.request(number).size();
    }
    EXPECT_EQ(handed_on, 6U) << "each once";
    EXPECT_EQ(kubo.requests(), 2U);
    EXPECT_EQ(publications.requests(), kubo.requests());
}

TEST_F(PublicationsTest, NobodyHearsBeforeItsOwnRequestIsOver) {
    auto all = with_waiting(1);
    kubo.answer({});
    EXPECT_TRUE(result_of(all[0]).ok());
    kubo.request(1);
    EXPECT_EQ(all[1].wait_for(50ms), std::future_status::timeout);
    kubo.answer({});
    EXPECT_TRUE(result_of(all[1]).ok());
}

TEST_F(PublicationsTest, NobodyFailsForWhatAnotherOneLacks) {
    auto all = with_waiting(2);
    kubo.answer({});
    ASSERT_EQ(kubo.request(1).size(), 2U);
    kubo.answer(Error{Errc::not_found, "no block of the one"}); // Of both together, then
    kubo.answer(Error{Errc::not_found, "no block of the one"}); // of the first alone.
    kubo.answer({});
    EXPECT_TRUE(result_of(all[0]).ok());
    const Result<void> one = result_of(all[1]);
    const Result<void> other = result_of(all[2]);
    EXPECT_NE(one.ok(), other.ok()) << "which came first is up to the threads";
    EXPECT_EQ(kubo.requests(), 4U);
}

TEST_F(PublicationsTest, AnAbsenceIsEverybodysAndCostsOneRequest) {
    auto all = with_waiting(2);
    kubo.answer({});
    ASSERT_EQ(kubo.request(1).size(), 2U);
    kubo.answer(Error{Errc::unavailable, "no Kubo"});
    EXPECT_TRUE(result_of(all[0]).ok());
    EXPECT_EQ(result_of(all[1]).error().code, Errc::unavailable);
    EXPECT_EQ(result_of(all[2]).error().code, Errc::unavailable);
    EXPECT_EQ(kubo.requests(), 2U);
}

TEST_F(PublicationsTest, WhoIsStoppedLeavesAndTheOthersGoOn) {
    auto first = publish(0);
    kubo.request(0);
    std::atomic<bool> is_stopped{false};
    const auto stop = [&]() -> std::optional<Error> {
        return is_stopped ? std::optional(Error{Errc::lease_lost, "over"}) : std::nullopt;
    };
    auto waiting = publish(1, stop);
    is_stopped = true;
    EXPECT_EQ(result_of(waiting).error().code, Errc::lease_lost);
    kubo.answer({});
    EXPECT_TRUE(result_of(first).ok());
    EXPECT_EQ(kubo.requests(), 1U) << "what nobody waits for is not sent";
}

TEST_F(PublicationsTest, ARequestEndsWhenAllOfItAreStopped) {
    std::atomic<bool> is_stopped{false};
    auto only = publish(0, [&]() -> std::optional<Error> {
        return is_stopped ? std::optional(Error{Errc::lease_lost, "over"}) : std::nullopt;
    });
    kubo.request(0);
    is_stopped = true;
    EXPECT_EQ(result_of(only).error().code, Errc::lease_lost);
}

TEST_F(PublicationsTest, AsManyRequestsAsMayBeAreUnderWayAtOnce) {
    Publications two([this](std::span<const Cid> roots,
                            const kubo::Stop& stop) { return kubo.hand_on(roots, stop); },
                     2);
    const auto hand_on = [&](int number) {
        return std::async(std::launch::async,
                          [&two, number] { return two.publish(std::vector{root(number)}, {}); });
    };
    auto first = hand_on(0);
    kubo.request(0);
    auto second = hand_on(1);
    kubo.request(1);
    auto third = hand_on(2);
    EXPECT_EQ(third.wait_for(50ms), std::future_status::timeout);
    EXPECT_EQ(kubo.requests(), 2U);
    for (int answers = 0; answers < 3; ++answers) {
        kubo.answer({});
    }
    for (auto* one : {&first, &second, &third}) {
        EXPECT_TRUE(result_of(*one).ok());
    }
}

} // namespace
} // namespace ic::wiring
