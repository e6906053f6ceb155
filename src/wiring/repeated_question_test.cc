#include "base/time.h"
#include "wiring/repeated_question.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

namespace ic::wiring {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds never = 3'600s;

class RepeatedQuestionTest : public ::testing::Test {
protected:
    /// Holds the asker's thread until `let_go`.
    void hold_the_asker() {
        ASSERT_TRUE(asker_.ask([this, until = gate_.get_future().share()] {
            held_.set_value();
            until.wait();
        }));
        held_.get_future().wait();
    }

    /// What was asked before has then been answered.
    void await_the_asker() {
        ASSERT_TRUE(asker_.ask([this] { behind_.set_value(); }));
        behind_.get_future().wait();
    }

    void let_go() { gate_.set_value(); }

    /// Asked so often, within half a minute.
    bool is_asked(int times) {
        const Instant until = now_since_boot() + 30s;
        while (asked_ < times && now_since_boot() < until) {
            loop_->run_for(5ms);
        }
        return asked_ >= times;
    }

    std::unique_ptr<net::EventLoop> loop_ = net::EventLoop::open().take();
    std::promise<void> gate_;
    std::promise<void> held_;
    std::promise<void> behind_;
    std::atomic<int> asked_{0};
    std::chrono::milliseconds again_{never}; ///< What the follow-ups say.
    Asker asker_;
    RepeatedQuestion question_{*loop_,
                               asker_,
                               [this] {
                                   ++asked_;
                                   return [this] { return again_; };
                               },
                               5ms};
};

TEST_F(RepeatedQuestionTest, IsAskedAgainWhenItsFollowUpSays) {
    again_ = 1ms;
    question_.ask();
    EXPECT_TRUE(is_asked(3));
}

TEST_F(RepeatedQuestionTest, IsAskedLaterWhereTheAskerHadNoRoom) {
    hold_the_asker();
    while (asker_.ask([] {})) {
    }
    question_.ask();
    loop_->run_for(50ms); // More than one try finds no room.
    EXPECT_EQ(asked_, 0);
    let_go();
    EXPECT_TRUE(is_asked(1));
}

TEST_F(RepeatedQuestionTest, IsAskedOnceWhereItIsBeingAsked) {
    hold_the_asker();
    question_.ask();
    question_.ask();
    let_go();
    ASSERT_TRUE(is_asked(1));
    await_the_asker();
    loop_->run_for(50ms);
    EXPECT_EQ(asked_, 1);
}

TEST_F(RepeatedQuestionTest, AnAnswerThatComesAfterItsOwnerIsPassedOver) {
    bool followed = false;
    hold_the_asker();
    auto question = std::make_unique<RepeatedQuestion>(
        *loop_,
        asker_,
        [&] {
            ++asked_;
            return [&] {
                followed = true;
                return never;
            };
        },
        5ms);
    question->ask();
    question.reset();
    let_go();
    await_the_asker();
    EXPECT_EQ(asked_, 1);
    loop_->run_for(50ms);
    EXPECT_FALSE(followed);
}

} // namespace
} // namespace ic::wiring
