/// What a worker counts, asked for as Prometheus does, beside what it was made to do.

#include "cli/desk.h"
#include "metrics/testing/exposition.h"
#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace ic::cli_test {
namespace {

using metrics::testing::ExposedFamily;
using metrics::testing::value_in;
using ::testing::HasSubstr;
using ::testing::Not;

using Numbers = std::map<std::string, ExposedFamily>;

Numbers scrape(const Running& worker) {
    const std::string where = line_after(worker.err(), "ipfs-compute: metrics are at ");
    auto response = net::http_request({.url = where}, {.any_address = true}, {});
    if (!response) {
        ADD_FAILURE() << where << ": " << response.error().message;
        return {};
    }
    std::string text;
    Bytes piece(64U << 10U);
    for (std::size_t count = 1; count != 0;) {
        count = (*response)->read(piece).take();
        text += text_of(ByteView(piece).first(count));
    }
    Result<Numbers> numbers = metrics::testing::parse_exposition(text);
    EXPECT_TRUE(numbers.ok()) << numbers.error().message;
    return numbers ? std::move(numbers).take() : Numbers{};
}

double of(const Numbers& numbers, const std::string& name, const std::string& labels = "") {
    return value_in(numbers, "ipfs_compute_" + name, labels);
}

double stages(const Numbers& numbers, const std::string& stage) {
    return of(numbers, "stage_seconds", "_count{stage=\"" + stage + "\"}");
}

/// Ends the executors of a worker, which are its children.
int kill_executors(pid_t worker) {
    int killed = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        std::ifstream status(entry.path() / "status");
        std::ifstream command(entry.path() / "cmdline");
        std::string words;
        std::getline(command, words);
        if (words.find("internal-executor") == std::string::npos) {
            continue;
        }
        for (std::string line; std::getline(status, line);) {
            if (line == "PPid:\t" + std::to_string(worker)) {
                ::kill(std::stoi(entry.path().filename()), SIGKILL);
                ++killed;
            }
        }
    }
    return killed;
}

TEST(Metrics, SayWhatTheJobsDid) {
    const Desk desk;
    const auto worker = desk.start_worker({"--metrics-listen", "0", "--slots", "1"});
    const Numbers before = scrape(*worker);
    EXPECT_EQ(of(before, "jobs_accepted_total"), 0);
    EXPECT_EQ(of(before, "slots"), 1);
    EXPECT_EQ(desk(desk.kit("submit", "_start")).status, 0);
    EXPECT_EQ(desk(desk.kit("submit", "_start", {"--nonce", "1"})).status, 0);
    EXPECT_EQ(desk(desk.kit("submit", "_start", {"--label", "memo=yes"})).status, 0);
    EXPECT_EQ(desk(desk.kit("submit", "exit", {"--", "3"})).status, 3);
    EXPECT_EQ(desk(desk.kit("submit", "trap")).status, 122);

    const Numbers after = scrape(*worker);
    EXPECT_EQ(of(after, "jobs_accepted_total"), 5);
    EXPECT_EQ(of(after, "jobs_ended_total", R"({ending="success"})"), 3);
    EXPECT_EQ(of(after, "jobs_ended_total", R"({ending="guest-exit"})"), 1);
    EXPECT_EQ(of(after, "jobs_ended_total", R"({ending="trap-unreachable"})"), 1);
    EXPECT_EQ(of(after, "jobs_from_memo_total"), 1);
    EXPECT_EQ(of(after, "jobs_open"), 0);
    EXPECT_EQ(of(after, "leases_granted_total"), 4) << "the memo's job needs no worker";
    EXPECT_EQ(of(after, "runs_ended_total", R"({ending="success"})"), 2);
    EXPECT_EQ(of(after, "runs_ended_total", R"({ending="guest-exit"})"), 1);
    EXPECT_EQ(of(after, "runs_ended_total", R"({ending="trap-unreachable"})"), 1);
    EXPECT_EQ(of(after, "artifact_cache_misses_total"), 1);
    EXPECT_EQ(of(after, "artifact_cache_hits_total"), 3);
    EXPECT_EQ(stages(after, "queue"), 4);
    EXPECT_EQ(stages(after, "claim"), 4);
    EXPECT_EQ(stages(after, "run"), 4);
    EXPECT_EQ(stages(after, "compile"), 1);
    EXPECT_GE(of(after, "bids_sent_total"), 4) << "a bid a grant";
    EXPECT_EQ(of(after, "bids_sent_total"), of(after, "bids_received_total")) << "nobody else";
    EXPECT_GT(of(after, "guest_cpu_seconds_total"), 0);
    EXPECT_GT(of(after, "store_disk_bytes"), 0);
    EXPECT_EQ(of(after, "executors_replaced_total", R"({cause="died"})"), 0);

    EXPECT_EQ(kill_executors(worker->pid()), 1);
    EXPECT_EQ(desk(desk.kit("submit", "_start", {"--nonce", "2"})).status, 0);
    const Numbers last = scrape(*worker);
    EXPECT_EQ(of(last, "executors_replaced_total", R"({cause="died"})"), 1);
    EXPECT_EQ(of(last, "runs_ended_total", R"({ending="success"})"), 3);
}

TEST(Metrics, CountWhatIsRefusedAndWhatIsNotToBeHad) {
    const Desk desk;
    const auto worker =
        desk.start_worker({"--metrics-listen", "127.0.0.1:0", "--set", "kubo=http://127.0.0.1:9"});
    const std::string nowhere = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
    const Finished missing = desk(
        {"submit", "--wasm-cid", nowhere, "--handler", "x", "--retries", "0", "--set", "kubo=off"});
    EXPECT_EQ(missing.status, 124) << missing.err;
    expect_error(desk(desk.kit("submit", "nothing", {"--impure", "--allow-host", "no.example"})),
                 126,
                 "refused");
    const Numbers numbers = scrape(*worker);
    EXPECT_GE(of(numbers, "blocks_missed_total", R"({source="kubo"})"), 1);
    EXPECT_EQ(of(numbers, "blocks_fetched_total", R"({source="kubo"})"), 0);
    EXPECT_EQ(of(numbers, "requests_rejected_total", R"({reason="refused"})"), 1);
    EXPECT_EQ(of(numbers, "jobs_ended_total", R"({ending="cid-unavailable"})"), 1);
}

TEST(Metrics, AreOffUnlessAskedForAndSaySoWhenTheyAreOpenToOthers) {
    const Desk desk;
    EXPECT_THAT(desk.start_worker()->err(), Not(HasSubstr("metrics")));
    const auto open = desk.start_worker({"--metrics-listen", "0.0.0.0:0"});
    EXPECT_THAT(open->err(), HasSubstr("for whoever reaches this machine there"));
    expect_error(desk({"worker", "--metrics-listen", "nowhere"}), 120, "usage");
}

} // namespace
} // namespace ic::cli_test
