/// What a worker logs, for people and for programs.

#include "cli/desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace ic::cli_test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// Every line, each an object with the fields that all have.
std::vector<nlohmann::json> entries_of(const std::string& text) {
    static const std::regex time{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"};
    std::vector<nlohmann::json> entries;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const nlohmann::json entry = json_of(line);
        EXPECT_TRUE(entry.is_object()) << line;
        for (const char* const name : {"time", "level", "source", "message"}) {
            EXPECT_TRUE(entry.contains(name) && entry[name].is_string()) << line;
        }
        EXPECT_TRUE(std::regex_match(entry.value("time", ""), time)) << line;
        entries.push_back(entry);
    }
    return entries;
}

/// The entries of a job, as their messages.
std::vector<std::string> story_of(const std::vector<nlohmann::json>& entries,
                                  const std::string& job) {
    std::vector<std::string> messages;
    for (const nlohmann::json& entry : entries) {
        if (entry.value("job", "") == job) {
            messages.push_back(entry["message"].get<std::string>());
        }
    }
    return messages;
}

nlohmann::json entry_with(const std::vector<nlohmann::json>& entries, const std::string& message) {
    for (const nlohmann::json& entry : entries) {
        if (entry["message"] == message) {
            return entry;
        }
    }
    ADD_FAILURE() << "no entry '" << message << "'";
    return {};
}

TEST(Log, IsAnObjectALineForPrograms) {
    const Desk desk;
    const auto worker = desk.start_worker({"--log-format", "json", "--log-level", "debug"});
    const Finished said = desk(desk.kit("submit", "say"));
    ASSERT_EQ(said.status, 0) << said.err;
    const std::string job = line_after(said.err, "job ");
    const Finished trapped = desk(desk.kit("submit", "trap"));
    worker->signal(SIGTERM);
    const Finished ended = worker->finish();
    EXPECT_EQ(ended.status, 0);
    const std::vector<nlohmann::json> entries = entries_of(ended.err);
    for (const nlohmann::json& entry : entries) {
        if (entry["source"] == "guest") {
            EXPECT_EQ(entry["job"], job);
            EXPECT_EQ(entry["level"], "info");
        }
    }
    const std::vector<std::string> story = story_of(entries, job);
    for (const char* const message :
         {"job accepted", "job granted", "run begins", "run ended", "job ended"}) {
        EXPECT_THAT(story, Contains(message));
    }
    EXPECT_EQ(entry_with(entries, "job granted")["attempt"], 1);
    EXPECT_EQ(entry_with(entries, "job ended")["ending"], "success");
    EXPECT_GT(entry_with(entries, "run ended")["run_us"], 0);
    const std::string trapped_job = line_after(trapped.err, "job ");
    EXPECT_THAT(ended.err,
                HasSubstr(R"("job":")" + trapped_job + R"(","ending":"trap-unreachable")"));
}

TEST(Log, LeavesOutWhatIsBelowTheLevelOfTheSettings) {
    const Desk desk;
    ASSERT_EQ(desk({"config", "set", "log.level", "warning"}).status, 0);
    ASSERT_EQ(desk({"config", "set", "log.format", "json"}).status, 0);
    const auto worker = desk.start({"worker"});
    const Finished submitted = desk(desk.kit("submit", "say"));
    EXPECT_EQ(submitted.status, 0) << submitted.err;
    EXPECT_THAT(submitted.err, HasSubstr("\nreceipt ")) << "its lines are no log";
    worker->signal(SIGTERM);
    const Finished ended = worker->finish();
    EXPECT_EQ(ended.status, 0);
    EXPECT_THAT(ended.err, IsEmpty());
}

TEST(Log, SaysTheLastErrorInItsOwnForm) {
    const Desk desk;
    const Finished json =
        desk({"worker", "--log-format", "json", "--allow-private-address", "no address"});
    EXPECT_EQ(json.status, 120) << json.err;
    const std::vector<nlohmann::json> entries = entries_of(json.err);
    ASSERT_FALSE(entries.empty());
    EXPECT_EQ(entries.back()["level"], "error");
    EXPECT_EQ(entries.back()["error"], "usage");
    EXPECT_THAT(entries.back()["message"].get<std::string>(), Not(IsEmpty()));
    expect_error(desk({"worker", "--allow-private-address", "no address"}), 120, "usage");
}

TEST(Log, ShowsPeopleNoColoursInAPipe) {
    const Desk desk;
    const auto worker = desk.start_worker({"--log-level", "debug"});
    const Finished said = desk(desk.kit("submit", "say"));
    worker->signal(SIGTERM);
    const Finished ended = worker->finish();
    const std::string job = line_after(said.err, "job ");
    EXPECT_THAT(ended.err, HasSubstr("ipfs-compute: job granted job=" + job + " epoch="));
    EXPECT_THAT(ended.err, HasSubstr(job + " log: "));
    EXPECT_THAT(ended.err, Not(HasSubstr("\x1b")));
}

} // namespace
} // namespace ic::cli_test
