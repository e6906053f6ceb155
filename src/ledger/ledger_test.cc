#include "job/testing/vectors.h"
#include "ledger/ledger.h"
#include "ledger/testing/home.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace ic::ledger {
namespace {

using testing::accepted;
using testing::granted;
using testing::Home;
using testing::instance;
using testing::write;

TEST(Ledger, DescribesWhatWasWritten) {
    const Home home;
    const auto writer = home.open_writer();
    JobAccepted job = accepted(1, instance(7));
    job.labels = {{"team", "blue"}, {"x", ""}};
    job.priority = 4;
    JobGranted grant = granted(job, {3, 1}, instance(8));
    const StageReached stage{.job = job.ids.job,
                             .attempt = 1,
                             .stage = job::Stage::running,
                             .worker = instance(8),
                             .at = {1300}};
    const WorkerConsidered considered{.job = job.ids.job,
                                      .worker = {.key = {}, .instance = instance(9)},
                                      .reason = "outbid",
                                      .message = "another worker was first",
                                      .at = {1250}};
    const JobFinished finished = testing::finished(job, grant);
    ASSERT_TRUE(write(*writer, {job, grant, stage, considered, finished}));

    LedgerReader reader = home.open_reader();
    const Result<JobDetail> read = reader.describe(job.ids.job);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->row.ids.task, job.ids.task);
    EXPECT_EQ(read->row.ids.computation, job.ids.computation);
    EXPECT_EQ(read->row.submitter, job.submitter);
    EXPECT_EQ(read->row.owner, instance(7));
    EXPECT_EQ(read->row.state, JobState::finished);
    EXPECT_EQ(read->row.stage, job::Stage::finished);
    EXPECT_EQ(read->row.attempts, 1U);
    EXPECT_EQ(read->row.priority, 4U);
    EXPECT_EQ(read->row.labels, job.labels);
    EXPECT_EQ(read->row.accepted_at, job.at);
    EXPECT_EQ(read->row.ended_at, finished.at);
    EXPECT_EQ(read->invocation, job.invocation);
    std::vector<job::Stage> stages;
    for (const StageReached& one : read->stages) {
        stages.push_back(one.stage);
    }
    EXPECT_EQ(
        stages,
        (std::vector{
            job::Stage::accepted, job::Stage::granted, job::Stage::running, job::Stage::finished}));
    ASSERT_EQ(read->grants.size(), 1U);
    EXPECT_EQ(read->grants[0].epoch, grant.epoch);
    EXPECT_EQ(read->grants[0].worker, grant.worker);
    EXPECT_EQ(read->grants[0].duration_ms, grant.duration_ms);
    EXPECT_FALSE(read->grants[0].released);
    ASSERT_EQ(read->receipts.size(), 1U);
    EXPECT_EQ(read->receipts[0].receipt, finished.receipt);
    EXPECT_EQ(read->receipts[0].fate, job::ReceiptFate::accepted);
    ASSERT_EQ(read->considered.size(), 1U);
    EXPECT_EQ(read->considered[0].reason, "outbid");
    EXPECT_EQ(read->considered[0].worker, considered.worker);
}

TEST(Ledger, KnowsNoJobThatWasNotWritten) {
    const Home home;
    const auto writer = home.open_writer();
    EXPECT_EQ(home.open_reader().describe(accepted(1, instance(7)).ids.job).error().code,
              Errc::not_found);
}

TEST(Ledger, AJobEndsOnceAndIsNotGrantedAfterwards) {
    const Home home;
    const auto writer = home.open_writer();
    const JobAccepted job = accepted(1, instance(7));
    const JobGranted grant = granted(job, {1, 1}, instance(8));
    ASSERT_TRUE(write(*writer, {job, grant, testing::finished(job, grant)}));
    ASSERT_TRUE(write(
        *writer,
        {JobFailed{
            .job = job.ids.job, .error = Errc::total_timeout, .message = "late", .at = {9000}}}));
    EXPECT_EQ(write(*writer, {granted(job, {1, 2}, instance(8))}).error().code, Errc::refused);
    ASSERT_TRUE(write(*writer, {job})) << "accepted again: no change";
    const Result<JobDetail> read = home.open_reader().describe(job.ids.job);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->row.state, JobState::finished);
    EXPECT_EQ(read->grants.size(), 1U);
}

TEST(Ledger, AJobThatAnotherProcessHasAcceptedIsRefused) {
    const Home home;
    const auto writer = home.open_writer();
    const JobAccepted first = accepted(1, instance(7));
    const JobAccepted late = accepted(1, instance(8));
    ASSERT_TRUE(write(*writer, {first}));
    EXPECT_EQ(write(*writer, {late, granted(late, {2, 1}, instance(9))}).error().code,
              Errc::refused);
    const Result<JobDetail> read = home.open_reader().describe(first.ids.job);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->row.owner, instance(7));
    EXPECT_TRUE(read->grants.empty());
}

TEST(Ledger, OneBatchIsWrittenAllOrNoneAndOthersOfItsGroupStand) {
    const Home home;
    const auto writer = home.open_writer();
    const JobAccepted first = accepted(1, instance(7));
    const JobAccepted second = accepted(2, instance(7));
    const JobAccepted third = accepted(3, instance(7));
    testing::Gate gate(*writer); // So that all three are of one group.
    testing::Outcomes outcomes;
    writer->submit({first}, outcomes.take());
    writer->submit({second, granted(accepted(9, instance(7)), {1, 1}, instance(8))},
                   outcomes.take());
    writer->submit({third}, outcomes.take());
    gate.open();
    const std::vector<Result<void>>& results = outcomes.wait(3);
    EXPECT_TRUE(results[0]);
    EXPECT_EQ(results[1].error().code, Errc::refused);
    EXPECT_TRUE(results[2]);
    LedgerReader reader = home.open_reader();
    EXPECT_TRUE(reader.describe(first.ids.job));
    EXPECT_EQ(reader.describe(second.ids.job).error().code, Errc::not_found);
    EXPECT_TRUE(reader.describe(third.ids.job));
}

TEST(Ledger, RefusesAnEpochGivenTwice) {
    const Home home;
    const auto writer = home.open_writer();
    const JobAccepted job = accepted(1, instance(7));
    ASSERT_TRUE(write(*writer, {job, granted(job, {1, 1}, instance(8))}));
    EXPECT_EQ(write(*writer, {granted(job, {1, 1}, instance(9))}).error().code, Errc::internal);
}

TEST(Ledger, IncarnationsOnlyGrowAlsoWhenItIsOpenedAnew) {
    const Home home;
    std::uint64_t last = 0;
    for (int round = 0; round < 3; ++round) {
        const auto writer = home.open_writer();
        for (int again = 0; again < 2; ++again) {
            const Result<std::uint64_t> taken = writer->take_incarnation(instance(7));
            ASSERT_TRUE(taken);
            EXPECT_GT(*taken, last);
            last = *taken;
        }
    }
}

TEST(Ledger, KnowsTheProcessesOfItsHome) {
    const Home home;
    const auto writer = home.open_writer();
    ASSERT_TRUE(writer->take_incarnation(instance(7)));
    LedgerReader reader = home.open_reader();
    EXPECT_EQ(*reader.is_of_this_home(instance(7)), true);
    EXPECT_EQ(*reader.is_of_this_home(instance(8)), false) << "a worker of another machine";
}

TEST(Ledger, AdoptionTakesOpenJobsOnceWithAllThatTheNewOwnerMustKnow) {
    const Home home;
    const auto writer = home.open_writer();
    JobAccepted open = accepted(1, instance(1));
    open.at_since_boot = BootMillis{.boot_id = "a boot", .value = 17};
    const JobAccepted ended = accepted(2, instance(1));
    const JobAccepted others = accepted(3, instance(2));
    const JobAccepted fresh = accepted(4, instance(3));
    ASSERT_TRUE(write(
        *writer,
        {open,
         ended,
         others,
         fresh,
         granted(open, {1, 1}, instance(8)),
         GrantReleased{.job = open.ids.job,
                       .epoch = {1, 1},
                       .attempts_failed = 1,
                       .error = Errc::executor_crashed,
                       .message = "first",
                       .at = {1400}},
         granted(open, {1, 2}, instance(8)),
         GrantReleased{.job = open.ids.job,
                       .epoch = {1, 2},
                       .attempts_failed = 2,
                       .error = Errc::cid_unavailable,
                       .message = "second",
                       .at = {1500}},
         granted(open, {1, 3}, instance(9)),
         CancelAsked{.job = open.ids.job, .reason = Errc::cancelled, .at = {1600}},
         JobFailed{.job = ended.ids.job, .error = Errc::cancelled, .message = "", .at = {1600}}}));
    const Result<std::uint64_t> before = writer->take_incarnation(instance(5));
    ASSERT_TRUE(before);
    const Result<Adoption> adopted = writer->adopt({instance(1), instance(3)}, instance(5));
    ASSERT_TRUE(adopted) << adopted.error().message;
    EXPECT_GT(adopted->incarnation, *before);
    ASSERT_EQ(adopted->jobs.size(), 2U);
    const AdoptedJob& job = adopted->jobs[0];
    EXPECT_EQ(job.row.ids.job, open.ids.job);
    EXPECT_EQ(job.row.owner, instance(5));
    EXPECT_EQ(job.invocation, open.invocation);
    EXPECT_EQ(job.accepted_since_boot, open.at_since_boot);
    ASSERT_TRUE(job.last_grant);
    EXPECT_EQ(job.last_grant->epoch, (job::Epoch{1, 3}));
    EXPECT_FALSE(job.last_grant->released);
    EXPECT_EQ(job.attempts_failed, 2U);
    ASSERT_TRUE(job.first_error && job.last_error);
    EXPECT_EQ(job.first_error->message, "first");
    EXPECT_EQ(job.last_error->code, Errc::cid_unavailable);
    EXPECT_EQ(job.cancel_asked, Errc::cancelled);
    EXPECT_EQ(adopted->jobs[1].row.ids.job, fresh.ids.job);
    EXPECT_FALSE(adopted->jobs[1].last_grant);
    EXPECT_FALSE(adopted->jobs[1].accepted_since_boot) << "it was not known";

    const Result<Adoption> again = writer->adopt({instance(1), instance(3)}, instance(6));
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->jobs.empty());
    const Result<std::vector<job::Instance>> owners = home.open_reader().owners();
    ASSERT_TRUE(owners);
    EXPECT_EQ(std::set(owners->begin(), owners->end()), (std::set{instance(2), instance(5)}));
}

TEST(Ledger, MemoIsTheNewestAcceptedReceiptThatMayAnswer) {
    const Home home;
    const auto writer = home.open_writer();
    const JobAccepted first = accepted(1, instance(7));
    JobAccepted second = accepted(2, instance(7));
    JobAccepted third = accepted(3, instance(7));
    second.ids.computation = third.ids.computation = first.ids.computation;
    const JobGranted grant_first = granted(first, {1, 1}, instance(8));
    const JobGranted grant_second = granted(second, {1, 2}, instance(8));
    JobFinished not_memoizable = testing::finished(first, grant_first);
    not_memoizable.memoizable = false;
    ASSERT_TRUE(write(*writer, {first, second, third, grant_first, grant_second, not_memoizable}));
    LedgerReader reader = home.open_reader();
    ASSERT_TRUE(reader.memo(first.ids.computation));
    EXPECT_FALSE(*reader.memo(first.ids.computation));
    const JobFinished memoizable = testing::finished(second, grant_second);
    ASSERT_TRUE(write(*writer, {memoizable}));
    JobFinished from_memo = memoizable;
    from_memo.job = third.ids.job;
    from_memo.from_memo = true;
    from_memo.at = {99'000};
    ASSERT_TRUE(write(*writer, {from_memo}));
    const Result<std::optional<ReceiptRow>> found = reader.memo(first.ids.computation);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->receipt, memoizable.receipt);
    EXPECT_EQ((*found)->at, memoizable.at) << "a memo's answer is no source of its own";
    const Result<JobDetail> answered = reader.describe(third.ids.job);
    ASSERT_TRUE(answered);
    EXPECT_TRUE(answered->row.from_memo);
    ASSERT_EQ(answered->receipts.size(), 1U);
    EXPECT_EQ(answered->receipts[0].receipt, memoizable.receipt);
}

TEST(Ledger, KeepsReceiptsThatDidNotEndTheJobApart) {
    const Home home;
    const auto writer = home.open_writer();
    const JobAccepted job = accepted(1, instance(7));
    const JobGranted grant = granted(job, {1, 1}, instance(8));
    const ReceiptKept stale{.job = job.ids.job,
                            .computation = job.ids.computation,
                            .receipt_cid = testing::cid(500),
                            .receipt = {5},
                            .epoch = {1, 1},
                            .worker = grant.worker,
                            .fate = job::ReceiptFate::stale,
                            .at = {2000}};
    ASSERT_TRUE(write(*writer, {job, grant, stale}));
    const Result<JobDetail> read = home.open_reader().describe(job.ids.job);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->row.state, JobState::open);
    ASSERT_EQ(read->receipts.size(), 1U);
    EXPECT_EQ(read->receipts[0].fate, job::ReceiptFate::stale);
    EXPECT_FALSE(*home.open_reader().memo(job.ids.computation));
}

TEST(Ledger, ListsNewestFirstInPagesByStateAndLabel) {
    const Home home;
    const auto writer = home.open_writer();
    std::vector<Record> records;
    for (std::uint32_t n = 0; n < 10; ++n) {
        JobAccepted job = accepted(n, instance(7));
        if (n % 2 == 0) {
            job.labels = {{"parity", "even"}};
        }
        records.emplace_back(job);
        if (n < 3) {
            records.emplace_back(JobFailed{.job = job.ids.job,
                                           .error = Errc::queue_timeout,
                                           .message = "nobody",
                                           .at = {5000}});
        }
    }
    ASSERT_TRUE(write(*writer, records));
    LedgerReader reader = home.open_reader();
    const auto jobs_of = [&reader](const JobFilter& filter) {
        std::vector<Cid> jobs;
        const Result<std::vector<JobRow>> rows = reader.list(filter);
        EXPECT_TRUE(rows);
        for (const JobRow& row : *rows) {
            jobs.push_back(row.ids.job);
        }
        return jobs;
    };
    const auto job = [](std::uint32_t n) { return accepted(n, instance(7)).ids.job; };
    EXPECT_EQ(jobs_of({.state = {}, .labels = {}, .before = {}, .limit = 2}),
              (std::vector{job(9), job(8)}));
    const std::uint64_t cursor =
        (*reader.list({.state = {}, .labels = {}, .before = {}, .limit = 2})).back().sequence;
    EXPECT_EQ(jobs_of({.state = {}, .labels = {}, .before = cursor, .limit = 2}),
              (std::vector{job(7), job(6)}));
    EXPECT_EQ(jobs_of({.state = JobState::failed, .labels = {}, .before = {}, .limit = 100}),
              (std::vector{job(2), job(1), job(0)}));
    EXPECT_EQ(jobs_of({.state = JobState::failed,
                       .labels = {{"parity", "even"}},
                       .before = {},
                       .limit = 100}),
              (std::vector{job(2), job(0)}));
    EXPECT_EQ(
        reader.list({.state = {}, .labels = {}, .before = {}, .limit = limits::list_page_max + 1})
            .error()
            .code,
        Errc::too_large);
    const std::string text = job(4).to_string();
    EXPECT_EQ(*reader.find(text.substr(0, text.size() - 1)), (std::vector{job(4)}));
    EXPECT_TRUE(reader.find("x")->empty());
}

TEST(Ledger, PrunesEndedJobsByCountAndAgeAndNeverOpenOnes) {
    const Home home;
    {
        const auto writer = home.open_writer();
        std::vector<Record> records;
        for (std::uint32_t n = 0; n < 20; ++n) {
            const JobAccepted job = accepted(n, instance(7));
            records.emplace_back(job);
            if (n != 2) {
                records.emplace_back(JobFailed{.job = job.ids.job,
                                               .error = Errc::queue_timeout,
                                               .message = "",
                                               .at = now_unix_millis()});
            }
        }
        ASSERT_TRUE(write(*writer, records));
    }
    {
        const auto writer = home.open_writer({.ended_jobs_max = 5});
        EXPECT_EQ(home.open_reader().list({})->size(), 6U) << "five ended ones, and the open one";
    }
    const auto writer = home.open_writer({.ended_jobs_max = 100, .ended_age_ms_max = -1000});
    const Result<std::vector<JobRow>> left = home.open_reader().list({});
    ASSERT_EQ(left->size(), 1U);
    EXPECT_EQ(left->front().state, JobState::open);
}

TEST(Ledger, WritesWhatWaitsInOneSyncOfTheDisk) {
    const Home home;
    const auto writer = home.open_writer();
    testing::Gate gate(*writer);
    testing::Outcomes outcomes;
    constexpr std::uint32_t jobs = 500;
    for (std::uint32_t n = 0; n < jobs; ++n) {
        const JobAccepted job = accepted(n, instance(7));
        writer->submit({job, granted(job, {1, n}, instance(8))}, outcomes.take());
    }
    const std::uint64_t commits = writer->stats().commits;
    const std::uint64_t syncs = testing::syncs();
    gate.open();
    for (const Result<void>& result : outcomes.wait(jobs)) {
        EXPECT_TRUE(result);
    }
    EXPECT_LE(writer->stats().commits - commits, 2U) << "the gate's own, and the group's";
    EXPECT_LE(testing::syncs() - syncs, 3U) << "one a commit, and one if the log began anew";
    EXPECT_GE(testing::syncs() - syncs, 1U);
}

TEST(Ledger, RefusesASubmissionBeyondWhatMayWait) {
    const Home home;
    const auto writer = home.open_writer();
    testing::Gate gate(*writer);
    testing::Outcomes outcomes;
    const JobAccepted job = accepted(1, instance(7));
    writer->submit(std::vector<Record>(limits::queued_records_max, job), outcomes.take());
    writer->submit({job}, outcomes.take());
    const Result<void> first = outcomes.wait(1)[1]; // The refusal comes at once.
    EXPECT_EQ(first.error().code, Errc::unavailable);
    gate.open();
    EXPECT_TRUE(outcomes.wait(2)[0]);
}

TEST(Ledger, TakesASubmissionOfAnySizeWhereNoneWaits) {
    const Home home;
    const auto writer = home.open_writer();
    const Record asked = CancelAsked{.job = accepted(1, instance(7)).ids.job, .at = {1600}};
    EXPECT_TRUE(write(*writer, std::vector<Record>(limits::queued_records_max + 1, asked)));
}

TEST(Ledger, BringsAFileOfFormat1UpToDateWithAllThatIsInIt) {
    const Home home;
    const std::string older = job::testing::read_text("tests/vectors/ledger/format-1.sql");
    ASSERT_FALSE(older.empty());
    home.run_sql(older.c_str());
    EXPECT_EQ(LedgerReader::open(home.file()).error().code, Errc::unsupported)
        << "who only reads changes nothing";
    const auto writer = home.open_writer({.ended_age_ms_max = INT64_MAX});
    LedgerReader reader = home.open_reader();
    EXPECT_EQ(reader.list({})->size(), 2U);
    const JobAccepted ended = accepted(2, instance(7));
    const Result<JobDetail> detail = reader.describe(ended.ids.job);
    ASSERT_TRUE(detail) << detail.error().message;
    EXPECT_EQ(detail->row.state, JobState::finished);
    EXPECT_EQ(detail->receipts.size(), 1U);

    const JobAccepted fresh = accepted(3, instance(7));
    ASSERT_TRUE(write(*writer, {fresh})) << "it is written to as any other";
    const Result<Adoption> adopted = writer->adopt({instance(7)}, instance(5));
    ASSERT_TRUE(adopted) << adopted.error().message;
    EXPECT_EQ(adopted->incarnation, 2U) << "one was given out in format 1";
    ASSERT_EQ(adopted->jobs.size(), 2U);
    const AdoptedJob& job = adopted->jobs[0];
    const JobAccepted open = accepted(1, instance(7));
    EXPECT_EQ(job.row.ids.job, open.ids.job);
    EXPECT_EQ(job.row.accepted_at, open.at);
    EXPECT_EQ(job.row.priority, 4U);
    EXPECT_EQ(job.row.labels, (Labels{{"team", "blue"}}));
    EXPECT_EQ(job.invocation, open.invocation);
    EXPECT_EQ(job.cancel_asked, Errc::cancelled);
    EXPECT_FALSE(job.accepted_since_boot);
    ASSERT_TRUE(job.last_grant);
    EXPECT_EQ(job.last_grant->epoch, (job::Epoch{3, 1}));
}

TEST(Ledger, RefusesAFileOfANewerFormatAndLeavesItAsItIs) {
    const Home home;
    {
        const auto writer = home.open_writer();
    }
    home.run_sql("PRAGMA user_version=3");
    const auto opened = LedgerWriter::open(home.file());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::unsupported);
    EXPECT_EQ(LedgerReader::open(home.file()).error().code, Errc::unsupported);
}

TEST(Ledger, RefusesAnotherProgramsFileAndAFileThatIsNone) {
    const Home home;
    home.run_sql("CREATE TABLE t (x); PRAGMA user_version=1");
    EXPECT_EQ(LedgerWriter::open(home.file()).error().code, Errc::unsupported);
    const Home other;
    other.write_file("this is no database, but it is longer than a header of one hundred bytes "
                     "would be, so that SQLite has something to look at");
    const auto opened = LedgerWriter::open(other.file());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::internal);
    EXPECT_NE(opened.error().message.find("damaged"), std::string::npos);
}

TEST(Ledger, ReaderSaysWhenThereIsNoneYet) {
    const Home home;
    EXPECT_EQ(LedgerReader::open(home.file()).error().code, Errc::not_found);
}

TEST(Ledger, AFullDiskLosesNothingThatWasAcknowledged) {
    const Home home;
    const auto writer = home.open_writer();
    JobAccepted first = accepted(1, instance(7));
    ASSERT_TRUE(write(*writer, {first}));
    Result<void> failed;
    {
        const testing::FullDisk full;
        JobAccepted large = accepted(2, instance(7));
        large.invocation.assign(60'000, 1);
        failed = write(*writer, {large});
    }
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::storage_full);
    const JobAccepted third = accepted(3, instance(7));
    ASSERT_TRUE(write(*writer, {third})) << "it goes on when there is room again";
    LedgerReader reader = home.open_reader();
    EXPECT_TRUE(reader.describe(first.ids.job));
    EXPECT_EQ(reader.describe(accepted(2, instance(7)).ids.job).error().code, Errc::not_found);
    EXPECT_TRUE(reader.describe(third.ids.job));
}

} // namespace
} // namespace ic::ledger
