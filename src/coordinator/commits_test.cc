/// Commits to a real ledger that fails for a while, or refuses a record.

#include "base/time.h"
#include "coordinator/commits.h"
#include "ledger/testing/home.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ic::coordinator {
namespace {

using namespace std::chrono_literals;
using ledger::JobAccepted;
using ledger::JobFailed;
using ledger::JobState;
using ledger::Record;
using ledger::testing::granted;
using ledger::testing::instance;

const job::Instance us = instance(7);
const job::Instance others = instance(8);

JobAccepted accepted(std::uint32_t n) { return ledger::testing::accepted(n, us); }

JobFailed ended(const JobAccepted& job, Errc error) {
    return {.job = job.ids.job, .error = error, .message = "", .at = {9000}};
}

class CommitsTest : public ::testing::Test {
protected:
    void run_until(const std::function<bool()>& is_so) {
        const Instant until = now_since_boot() + 60s;
        while (!is_so() && now_since_boot() < until) {
            loop_->run_for(1ms);
        }
        ASSERT_TRUE(is_so()) << (commits_->failure() ? commits_->failure()->message : "no failure");
    }

    void run_until_durable(lease::JournalToken token) {
        run_until([&] { return !durable_.empty() && durable_.back() >= token; });
    }

    bool is_each_once_in_order() const {
        return std::ranges::adjacent_find(durable_, std::greater_equal<>()) == durable_.end();
    }

    /// Has the first try of these fail. Nothing is with the writer at return, nor is until the loop
    /// runs.
    void write_on_a_full_disk(lease::JournalToken token, std::vector<Record> records) {
        const ledger::testing::FullDisk full;
        commits_->write(token, std::move(records));
        run_until([&] { return commits_->failure().has_value(); });
        EXPECT_EQ(commits_->failure()->code, Errc::storage_full);
    }

    /// As the coordinator does it.
    bool give_away(std::vector<Record>& records) {
        return std::erase_if(records, [this](const Record& record) {
                   const auto detail = home_.open_reader().describe(ledger::job_of(record));
                   return detail && detail->row.owner != us;
               }) > 0;
    }

    /// In the order in which they were accepted.
    std::vector<Cid> jobs() const {
        std::vector<Cid> all;
        const Result<std::vector<ledger::JobRow>> rows = home_.open_reader().list({});
        for (const ledger::JobRow& row : *rows) {
            all.insert(all.begin(), row.ids.job);
        }
        return all;
    }

    ledger::JobDetail detail(const JobAccepted& job) const {
        return home_.open_reader().describe(job.ids.job).take();
    }

    const ledger::testing::Home home_;
    const std::unique_ptr<ledger::LedgerWriter> writer_ = home_.open_writer();
    const std::unique_ptr<net::EventLoop> loop_ = net::EventLoop::open().take();
    std::vector<lease::JournalToken> durable_; ///< As they were said.
    std::unique_ptr<Commits> commits_ = std::make_unique<Commits>(
        *loop_,
        *writer_,
        [this](lease::JournalToken token) { durable_.push_back(token); },
        [this](std::vector<Record>& records) { return give_away(records); });
};

TEST_F(CommitsTest, AnEndDoesNotOvertakeAGrantThatIsTriedAgain) {
    const JobAccepted job = accepted(1);
    ASSERT_TRUE(ledger::testing::write(*writer_, {job}));
    write_on_a_full_disk(1, {granted(job, {1, 1}, others)});
    commits_->write(2, {ended(job, Errc::total_timeout)});
    run_until_durable(2);
    EXPECT_EQ(durable_, (std::vector<lease::JournalToken>{1, 2}));
    EXPECT_FALSE(commits_->failure());
    EXPECT_EQ(detail(job).row.state, JobState::failed);
    EXPECT_EQ(detail(job).grants.size(), 1U);
}

TEST_F(CommitsTest, AnAcceptanceThatIsTriedAgainDoesNotReviveAJobThatHasEnded) {
    const JobAccepted job = accepted(1);
    write_on_a_full_disk(1, {job});
    commits_->write(2, {ended(job, Errc::cancelled)});
    run_until_durable(2);
    EXPECT_EQ(durable_, (std::vector<lease::JournalToken>{1, 2}));
    EXPECT_EQ(detail(job).row.state, JobState::cancelled);
}

TEST_F(CommitsTest, WhatIsAskedForMeanwhileIsOneCommitInTheOrderOfAsking) {
    constexpr std::uint32_t count = 100;
    ledger::testing::Gate gate(*writer_);
    const std::uint64_t before = writer_->stats().commits;
    std::vector<Cid> asked_for;
    for (std::uint32_t n = 1; n <= count; ++n) {
        asked_for.push_back(accepted(n).ids.job);
        commits_->write(n, {accepted(n)});
    }
    gate.open();
    run_until_durable(count);
    EXPECT_EQ(durable_, (std::vector<lease::JournalToken>{1, count}));
    EXPECT_EQ(writer_->stats().commits - before, 2U) << "the first, which did not wait; the rest";
    EXPECT_EQ(jobs(), asked_for);
}

TEST_F(CommitsTest, WhatIsAskedForOnceATokenIsDurableIsWrittenToo) {
    commits_ = std::make_unique<Commits>(
        *loop_,
        *writer_,
        [this](lease::JournalToken token) {
            durable_.push_back(token);
            if (token < 3) {
                commits_->write(token + 1, {accepted(static_cast<std::uint32_t>(token + 1))});
            }
        },
        [](std::vector<Record>&) { return false; });
    commits_->write(1, {accepted(1)});
    run_until_durable(3);
    EXPECT_EQ(durable_, (std::vector<lease::JournalToken>{1, 2, 3}));
    EXPECT_EQ(jobs().size(), 3U);
}

TEST_F(CommitsTest, ARefusedRecordHoldsUpNoneThatWentWithIt) {
    const JobAccepted theirs = ledger::testing::accepted(9, others);
    ASSERT_TRUE(ledger::testing::write(*writer_, {theirs}));
    ledger::testing::Gate gate(*writer_);
    std::vector<Cid> expected{theirs.ids.job};
    for (std::uint32_t n = 1; n <= 8; ++n) {
        expected.push_back(accepted(n).ids.job);
        commits_->write(n, {accepted(n)});
    }
    commits_->write(10, {accepted(10), accepted(9), accepted(11)});
    commits_->write(11, {ended(theirs, Errc::total_timeout), accepted(12)});
    for (const std::uint32_t n : {10U, 11U, 12U}) {
        expected.push_back(accepted(n).ids.job);
    }
    gate.open();
    run_until_durable(11);
    EXPECT_EQ(durable_.back(), 11U);
    EXPECT_TRUE(is_each_once_in_order());
    EXPECT_FALSE(commits_->failure());
    EXPECT_EQ(jobs(), expected);
    EXPECT_EQ(detail(theirs).row.owner, others);
    EXPECT_EQ(detail(theirs).row.state, JobState::open) << "it is another process's to end";
}

TEST_F(CommitsTest, AFailureIsOverWhenAllOfTheTokenIsGivenAway) {
    ASSERT_TRUE(ledger::testing::write(*writer_, {ledger::testing::accepted(9, others)}));
    bool is_first = true;
    commits_ = std::make_unique<Commits>(
        *loop_,
        *writer_,
        [this](lease::JournalToken token) { durable_.push_back(token); },
        [this, &is_first](std::vector<Record>& records) { // At first the ledger cannot be read.
            return !std::exchange(is_first, false) && give_away(records);
        });
    commits_->write(1, {accepted(9)});
    run_until([&] { return commits_->failure().has_value(); });
    EXPECT_EQ(commits_->failure()->code, Errc::refused);
    run_until_durable(1);
    EXPECT_FALSE(commits_->failure());
}

TEST_F(CommitsTest, OnlyWhatComesLaterWaitsForATokenThatCannotBeWritten) {
    const std::string raise = "CREATE TRIGGER raises BEFORE INSERT ON jobs WHEN NEW.job = '" +
                              accepted(3).ids.job.to_string() +
                              "' BEGIN SELECT RAISE(ABORT, 'not now'); END";
    home_.run_sql(raise.c_str());
    std::vector<Cid> expected;
    {
        ledger::testing::Gate gate(*writer_);
        for (std::uint32_t n = 1; n <= 5; ++n) {
            expected.push_back(accepted(n).ids.job);
            commits_->write(n, {accepted(n)});
        }
    }
    run_until([&] { return commits_->failure().has_value(); });
    EXPECT_EQ(durable_.back(), 2U);
    EXPECT_EQ(jobs(), (std::vector{expected[0], expected[1]}));
    home_.run_sql("DROP TRIGGER raises"); // The writer rests until the loop runs.
    run_until_durable(5);
    EXPECT_TRUE(is_each_once_in_order());
    EXPECT_FALSE(commits_->failure());
    EXPECT_EQ(jobs(), expected);
}

TEST_F(CommitsTest, SaysThatTooMuchWaitsUntilItIsWritten) {
    const Record asked = ledger::CancelAsked{.job = accepted(1).ids.job, .at = {1600}};
    {
        ledger::testing::Gate gate(*writer_);
        commits_->write(1, {accepted(1)});
        commits_->write(2, std::vector<Record>(ledger::limits::queued_records_max - 1, asked));
        EXPECT_FALSE(commits_->failure());
        commits_->write(3, {ended(accepted(1), Errc::cancelled)});
        ASSERT_TRUE(commits_->failure());
        EXPECT_EQ(commits_->failure()->code, Errc::unavailable);
    }
    run_until_durable(3);
    EXPECT_EQ(durable_, (std::vector<lease::JournalToken>{1, 2, 3}));
    EXPECT_FALSE(commits_->failure());
    EXPECT_EQ(detail(accepted(1)).row.state, JobState::cancelled);
}

} // namespace
} // namespace ic::coordinator
