/// `worker list`: which workers a node of this home has heard of.

#include "cli/desk.h"
#include "cli/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace ic::cli_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

std::vector<nlohmann::json> rows(const Desk& desk, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"worker", "list", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const Finished listed = desk(words);
    EXPECT_EQ(listed.status, 0) << listed.err;
    EXPECT_EQ(listed.err, "");
    std::vector<nlohmann::json> all;
    for (std::size_t at = 0; at < listed.out.size();) {
        const std::size_t end = std::min(listed.out.find('\n', at), listed.out.size());
        all.push_back(json_of(listed.out.substr(at, end - at)));
        at = end + 1;
    }
    return all;
}

/// The rows, as soon as they are as wanted; those of last after half a minute.
std::vector<nlohmann::json>
rows_when(const Desk& desk,
          const std::function<bool(const std::vector<nlohmann::json>&)>& as_wanted,
          const std::vector<std::string>& more = {}) {
    const auto until = std::chrono::steady_clock::now() + 30s;
    for (;;) {
        std::vector<nlohmann::json> found = rows(desk, more);
        if (as_wanted(found) || std::chrono::steady_clock::now() > until) {
            return found;
        }
        std::this_thread::sleep_for(50ms);
    }
}

TEST(WorkerList, ShowsWhatEachWorkerSaysOfItself) {
    const Desk desk;
    const auto first =
        desk.start_worker({"--slots", "2", "--label", "region=eu", "--label", "gpu=a100"});
    const auto second = desk.start_worker({"--slots", "1"});
    const auto found = rows_when(desk, [](const auto& all) { return all.size() == 2; });
    ASSERT_EQ(found.size(), 2U);
    const nlohmann::json id = json_of(desk({"id", "--json"}).out);
    const bool first_is_first = found[0]["slots"] == 2;
    const nlohmann::json& labelled = found[first_is_first ? 0 : 1];
    const nlohmann::json& plain = found[first_is_first ? 1 : 0];
    EXPECT_EQ(labelled["slots"], 2);
    EXPECT_EQ(labelled["labels"], (nlohmann::json{{"gpu", "a100"}, {"region", "eu"}}));
    EXPECT_EQ(plain["slots"], 1);
    EXPECT_EQ(plain["labels"], nlohmann::json::object());
    for (const nlohmann::json& row : found) {
        EXPECT_EQ(row["did"], id["did"]);
        EXPECT_EQ(row["running"], 0);
        EXPECT_EQ(row["via"], "local");
        EXPECT_EQ(row["trusted"], true);
        EXPECT_EQ(row["features"], nlohmann::json::array({"wasi-p1-core/1"}));
        EXPECT_EQ(row["instance"].get<std::string>().size(), 32U);
        EXPECT_GE(row["heard_ms_ago"].get<std::int64_t>(), 0);
        EXPECT_TRUE(row["store_bytes"].is_number()) << row;
        EXPECT_THAT(row["software"].get<std::string>(), HasSubstr("ipfs-compute/"));
    }
    EXPECT_THAT(desk({"worker", "list"}).out,
                AllOf(HasSubstr("  0/2 running  local, heard "),
                      HasSubstr("  gpu=a100 region=eu\n"),
                      HasSubstr(id["did"].get<std::string>() + "  "),
                      HasSubstr("  0/1 running  ")));
}

TEST(WorkerList, FollowsWhatBecomesOfThem) {
    const Desk desk;
    Gate gate;
    const auto busy = desk.start_worker(gate.worker_flags({"--slots", "1"}));
    const auto submit = desk.start(gate.job(desk, "submit"));
    ASSERT_TRUE(gate.wait_for_guest()) << submit->err();
    const auto other = desk.start_worker({"--slots", "3"});
    const auto is_running = [](const auto& all) {
        return all.size() == 2 &&
               all[0]["running"].template get<int>() + all[1]["running"].template get<int>() == 1;
    };
    EXPECT_TRUE(is_running(rows_when(desk, is_running)));

    other->signal(SIGKILL);
    EXPECT_EQ(rows_when(desk, [](const auto& all) { return all.size() == 1; }).size(), 1U)
        << "it is gone";

    busy->signal(SIGTERM);
    ASSERT_TRUE(busy->wait_for_err("finishing what runs")) << busy->err();
    EXPECT_TRUE(rows_when(desk, [](const auto& all) { return all.empty(); }).empty());
    const auto drained = rows(desk, {"--all"});
    ASSERT_EQ(drained.size(), 1U);
    EXPECT_EQ(drained[0]["slots"], 0);
    EXPECT_THAT(desk({"worker", "list", "--all"}).out, HasSubstr("takes no jobs"));
    gate.open();
    EXPECT_EQ(submit->finish().status, 0) << submit->err();
}

TEST(WorkerList, SaysWhatToDoWhereThereIsNoNode) {
    const Desk desk;
    EXPECT_THAT(expect_error(desk({"worker", "list"}), 124, "not-found"),
                HasSubstr("start one with `ipfs-compute worker`"));
    EXPECT_THAT(expect_error(desk({"worker", "list", "more"}), 120, "usage"), HasSubstr("'more'"));
    EXPECT_THAT(expect_error(desk({"worker", "lists"}), 120, "usage"),
                HasSubstr("did you mean 'list'?"));
    EXPECT_THAT(desk({"worker", "--help"}).out, HasSubstr("list"));
    EXPECT_THAT(desk({"completion", "bash"}).out, HasSubstr("'worker list') offered='"));
}

} // namespace
} // namespace ic::cli_test
