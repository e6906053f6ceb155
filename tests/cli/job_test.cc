/// `job`: what became of jobs, and cancelling them.

#include "cli/desk.h"
#include "cli/gate.h"
#include "job/receipt.h"
#include "job/testing/samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace ic::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using namespace std::chrono_literals;

std::vector<nlohmann::json> rows_of(const std::string& text) {
    std::vector<nlohmann::json> rows;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        rows.push_back(json_of(text.substr(at, end - at)));
        at = end + 1;
    }
    return rows;
}

std::string job_of(const Finished& submitted) { return line_after(submitted.err, "job "); }

TEST(JobDescribe, ShowsEveryStageAndWhyTheOtherWorkerDidNotRunIt) {
    const Desk desk;
    const auto first = desk.start_worker({"--slots", "1"});
    const auto second = desk.start_worker({"--slots", "1"});
    const Finished submitted = desk(desk.kit("submit", "say", {"--label", "kind=test"}));
    ASSERT_EQ(submitted.status, 0) << submitted.err;
    const std::string job = job_of(submitted);

    const nlohmann::json detail = json_of(desk({"job", "describe", job, "--json"}).out);
    EXPECT_EQ(detail["job"], job);
    EXPECT_EQ(detail["state"], "finished");
    EXPECT_EQ(detail["error"], nullptr);
    EXPECT_EQ(detail["labels"]["kind"], "test");
    EXPECT_EQ(detail["invocation"]["handler"], "say");
    EXPECT_EQ(detail["receipt"]["ending"]["ok"], true);
    EXPECT_THAT(line_after(submitted.err, "receipt "),
                StartsWith(detail["receipt"]["cid"].get<std::string>()));
    for (const char* stage :
         {"accepted", "granted", "fetching", "compiling", "running", "publishing", "finished"}) {
        const auto line = std::ranges::find_if(
            detail["stages"], [stage](const nlohmann::json& one) { return one["stage"] == stage; });
        ASSERT_NE(line, detail["stages"].end()) << stage << detail["stages"];
        EXPECT_TRUE((*line)["after_ms"].is_number() || (*line)["took_us"].is_number()) << *line;
    }
    ASSERT_EQ(detail["workers"].size(), 2U) << detail["workers"];
    std::vector<std::string> verdicts;
    for (const nlohmann::json& worker : detail["workers"]) {
        verdicts.push_back(worker["verdict"]);
        EXPECT_EQ(worker["instance"].get<std::string>().size(), 32U);
    }
    EXPECT_EQ(std::ranges::count(verdicts, "finished"), 1) << detail["workers"];
    EXPECT_EQ(std::ranges::count(verdicts, "not-chosen") + std::ranges::count(verdicts, "no-bid"),
              1)
        << detail["workers"];

    const Finished text = desk({"job", "describe", job});
    EXPECT_EQ(text.err, "");
    for (const char* part : {"Job:",
                             "State:",
                             "finished",
                             "Stages:",
                             "  granted",
                             "  compiling",
                             "  running",
                             "took ",
                             "Workers:",
                             "Receipt:",
                             "kind=test"}) {
        EXPECT_THAT(text.out, HasSubstr(part));
    }
    EXPECT_EQ(desk({"job", "describe", job.substr(0, 20)}).out, text.out)
        << "a beginning is enough";
}

TEST(JobDescribe, SaysWhatIsWrongWithAName) {
    const Desk desk;
    expect_error(desk({"job", "describe", "bafyreianything"}), 124, "not-found");
    for (const char* reason : {"1", "2"}) {
        desk(desk.kit("submit", "_start", {"--detach", "--nonce", reason}));
    }
    EXPECT_THAT(expect_error(desk({"job", "describe", "bafyrei"}), 120, "usage"),
                HasSubstr("the beginning of 2 jobs"));
    EXPECT_THAT(expect_error(desk({"job", "describe", "none"}), 124, "not-found"),
                HasSubstr("ipfs-compute job list"));
    EXPECT_THAT(expect_error(desk({"job", "wait"}), 120, "usage"), HasSubstr("JOB"));
    EXPECT_THAT(expect_error(desk({"job", "lost"}), 120, "usage"), HasSubstr("'lost'"));
    EXPECT_THAT(expect_error(desk({"job", "wait", "a", "b"}), 120, "usage"), HasSubstr("'b'"));
}

TEST(JobReceipt, IsShownByItsJobAndByItsOwnCid) {
    const Desk desk;
    const auto worker = desk.start_worker();
    const Finished submitted = desk(desk.kit("submit", "say"));
    ASSERT_EQ(submitted.status, 0) << submitted.err;
    const std::string job = job_of(submitted);

    const Finished by_job = desk({"job", "receipt", job.substr(0, 20), "--json"});
    ASSERT_EQ(by_job.status, 0) << by_job.err;
    nlohmann::json receipt = json_of(by_job.out);
    EXPECT_EQ(receipt["job"], job);
    EXPECT_EQ(receipt["trusted"], true) << "the worker's key is ours";
    receipt.erase("trusted");
    EXPECT_EQ(receipt, json_of(desk({"job", "describe", job, "--json"}).out)["receipt"]);
    const Finished text = desk({"job", "receipt", job});
    for (const char* part : {"Receipt:", ", trusted\n", "Ending:       success", "Output:"}) {
        EXPECT_THAT(text.out, HasSubstr(part));
    }
}

TEST(JobReceipt, OfSomebodyElseIsReadFromItsBlockAndCheckedWhole) {
    const Desk desk;
    const auto put = [&desk](const Bytes& bytes) {
        const std::string file = desk.file("document", text_of(bytes));
        const Finished done = desk({"block", "put", "--cid-codec", "dag-cbor", file});
        EXPECT_EQ(done.status, 0) << done.err;
        return done.out.substr(0, done.out.find('\n'));
    };
    const job::Receipt sample = job::testing::sample_receipt();
    const job::SignedReceipt receipt = job::sign(sample, job::testing::sample_key(3)).take();
    const std::string cid = put(receipt.document);
    EXPECT_EQ(cid, receipt.cid.to_string()) << "the CID that a block of these bytes has anywhere";
    const Finished shown = desk({"job", "receipt", cid, "--json"});
    ASSERT_EQ(shown.status, 0) << shown.err;
    EXPECT_EQ(json_of(shown.out)["cid"], cid);
    EXPECT_EQ(json_of(shown.out)["job"], sample.job.to_string());
    EXPECT_EQ(json_of(shown.out)["trusted"], false);
    EXPECT_THAT(desk({"job", "receipt", cid}).out, HasSubstr(", not trusted here\n"));

    Bytes forged = receipt.document;
    forged[3] ^= 1U; // In the signature.
    expect_error(desk({"job", "receipt", put(forged)}), 126, "refused");
    expect_error(desk({"job", "receipt", put(Bytes{0x01})}), 121, "malformed");
    expect_error(desk({"job", "receipt", "bafyreianything"}), 124, "not-found");
}

TEST(JobList, IsEmptyBeforeTheFirstJob) {
    const Desk desk;
    const Finished empty = desk({"job", "list"});
    EXPECT_EQ(empty.status, 0);
    EXPECT_EQ(empty.out + empty.err, "");
}

TEST(JobList, FiltersByStateAndLabelAndGoesOnAfterItsCursor) {
    const Desk desk;
    const auto worker = desk.start_worker();
    for (const char* number : {"1", "2", "3"}) {
        desk(desk.kit(
            "submit", "_start", {"--label", std::string("n=") + number, "--label", "a=b"}));
    }
    desk(desk.kit("submit", "trap"));
    desk(desk.kit("submit", "begin_and_loop", {"--detach"}));

    const auto list = [&desk](std::vector<std::string> more) {
        more.insert(more.begin(), {"job", "list", "--json"});
        const Finished listed = desk(more);
        EXPECT_EQ(listed.status, 0) << listed.err;
        return rows_of(listed.out);
    };
    ASSERT_EQ(list({}).size(), 5U);
    EXPECT_EQ(list({}).front()["state"], "open") << "the newest first";
    EXPECT_EQ(list({"--label", "a=b"}).size(), 3U);
    EXPECT_EQ(list({"--label", "a=b", "--label", "n=2"}).size(), 1U);
    EXPECT_EQ(list({"--label", "a=c"}).size(), 0U);
    EXPECT_EQ(list({"--state", "open"}).size(), 1U);
    EXPECT_EQ(list({"--state", "cancelled"}).size(), 0U);
    // A job whose guest trapped has a receipt: it is finished, with an error.
    const auto finished = list({"--state", "finished"});
    ASSERT_EQ(finished.size(), 4U);
    EXPECT_EQ(finished.front()["error"], "trap-unreachable");
    std::vector<std::string> seen;
    std::vector<nlohmann::json> page = list({"--limit", "2"});
    while (!page.empty()) {
        for (const nlohmann::json& row : page) {
            seen.push_back(row["job"]);
        }
        page = list({"--limit", "2", "--cursor", std::to_string(page.back()["cursor"].get<int>())});
    }
    std::vector<std::string> all;
    for (const nlohmann::json& row : list({})) {
        all.push_back(row["job"]);
    }
    EXPECT_EQ(seen, all);
    EXPECT_THAT(desk({"job", "list", "--limit", "2"}).out, HasSubstr("trap-unreachable"));
    EXPECT_THAT(expect_error(desk({"job", "list", "--state", "sleeping"}), 120, "usage"),
                HasSubstr("open, finished, failed and cancelled"));
    expect_error(desk({"job", "list", "--limit", "0"}), 120, "usage");
    EXPECT_THAT(expect_error(desk({"job", "list", "all"}), 120, "usage"), HasSubstr("'all'"));
}

TEST(JobCancel, EndsAQueuedARunningAndLeavesAFinishedJob) {
    const Desk desk;
    const auto worker = desk.start_worker({"--slots", "1"});
    const auto running = desk.start(desk.kit("submit", "begin_and_loop"));
    ASSERT_TRUE(running->wait_for_err("log: begun\n")) << running->err();
    const Finished queued = desk(desk.kit("submit", "_start", {"--detach"}));
    const std::string waiting = queued.out.substr(0, queued.out.find('\n'));

    const Finished cancelled = desk({"job", "cancel", waiting});
    EXPECT_EQ(cancelled.status, 0) << cancelled.err;
    EXPECT_EQ(cancelled.out, "cancelled " + waiting + "\n");
    EXPECT_EQ(cancelled.err, "");
    expect_error(desk({"job", "wait", waiting}), 126, "cancelled");

    const std::string job = line_after(running->err(), "job ");
    const Finished stopped = desk({"job", "cancel", job});
    EXPECT_EQ(stopped.out, "cancelled " + job + "\n") << stopped.err;
    expect_error(running->finish(), 126, "cancelled");
    EXPECT_EQ(json_of(desk({"job", "describe", job, "--json"}).out)["state"], "cancelled");

    const Finished done = desk(desk.kit("submit", "_start", {"--nonce", "after"}));
    EXPECT_EQ(done.out, "hello\n") << "the slot is free again";
    const Finished late = desk({"job", "cancel", job_of(done)});
    EXPECT_EQ(late.status, 0) << late.err;
    EXPECT_EQ(late.out, "");
    EXPECT_EQ(late.err, "the job had ended before: finished\n");
    EXPECT_EQ(desk({"job", "list", "--state", "cancelled"}).out.find(job_of(done)),
              std::string::npos);
}

TEST(JobCancel, EndsAJobThatNobodyCoordinatesNow) {
    const Desk desk;
    const Finished left = desk(desk.kit("submit", "_start", {"--detach"}));
    const std::string job = left.out.substr(0, left.out.find('\n'));
    const Finished cancelled = desk({"job", "cancel", job});
    EXPECT_EQ(cancelled.out, "cancelled " + job + "\n") << cancelled.err;
    expect_error(desk({"job", "wait", job}), 126, "cancelled");
    expect_error(desk({"job", "get", job}), 124, "not-found");
}

TEST(JobWait, ShowsTheEndToEverybodyWhoWaits) {
    const Desk desk;
    Gate gate;
    const auto worker = desk.start_worker(gate.worker_flags());
    const auto submit = desk.start(gate.job(desk, "submit"));
    ASSERT_TRUE(gate.wait_for_guest()) << submit->err();
    const std::string job = line_after(submit->err(), "job ");
    const auto waiting = desk.start({"job", "wait", job});
    const nlohmann::json open = json_of(desk({"job", "describe", job, "--json"}).out);
    EXPECT_EQ(open["state"], "open");
    EXPECT_EQ(open["receipt"], nullptr);
    gate.open();
    const Finished submitted = submit->finish();
    const Finished waited = waiting->finish();
    EXPECT_EQ(submitted.status, 0) << submitted.err;
    EXPECT_EQ(waited.status, 0) << waited.err;
    EXPECT_EQ(waited.out, submitted.out);
    EXPECT_EQ(line_after(waited.err, "receipt "), line_after(submitted.err, "receipt "));
}

TEST(JobWait, LeavesTheJobAloneOnCtrlC) {
    const Desk desk;
    Gate gate;
    const auto worker = desk.start_worker(gate.worker_flags());
    const auto submit = desk.start(gate.job(desk, "submit"));
    ASSERT_TRUE(gate.wait_for_guest()) << submit->err();
    const std::string job = line_after(submit->err(), "job ");
    const auto waiting = desk.start({"job", "wait", job});
    ASSERT_TRUE(waiting->wait_for_err("job " + job)) << waiting->err();
    waiting->signal(SIGINT);
    EXPECT_THAT(expect_error(waiting->finish(), 126, "cancelled"), HasSubstr("the job goes on"));
    gate.open();
    EXPECT_EQ(submit->finish().status, 0);
}

} // namespace
} // namespace ic::cli_test
