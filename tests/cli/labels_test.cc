/// `worker --label` and `submit --constraint`: which worker a job may go to.

#include "cli/desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ic::cli_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

nlohmann::json detail_of(const Desk& desk, const Finished& submitted) {
    return json_of(desk({"job", "describe", line_after(submitted.err, "job "), "--json"}).out);
}

/// "1f0c9a22" of "worker 1f0c9a22 is ready".
std::string name_of(const Running& worker) {
    return line_after(worker.err(), "ipfs-compute: worker ").substr(0, 8);
}

TEST(Labels, LetAJobRunAtTheFittingWorkerOnly) {
    const Desk desk;
    const auto europe = desk.start_worker({"--slots", "1", "--label", "region=eu"});
    const auto america =
        desk.start_worker({"--slots", "1", "--label", "region=us", "--label", "gpu=a100"});
    const auto run = [&](const std::string& constraint, const std::string& nonce) {
        const Finished submitted = desk(desk.kit(
            "submit", "say", {"--constraint", constraint, "--nonce", nonce, "--no-cache"}));
        EXPECT_EQ(submitted.status, 0) << constraint << ": " << submitted.err;
        return detail_of(desk, submitted);
    };
    for (int round = 0; round < 3; ++round) {
        const std::string nonce = std::to_string(round);
        for (const auto& [constraint, worker] : std::vector<std::pair<std::string, const Running*>>{
                 {"region=eu", europe.get()},
                 {"region!=eu", america.get()},
                 {"!gpu", europe.get()},
                 {"gpu,region in (us, eu)", america.get()}}) {
            const nlohmann::json detail = run(constraint, nonce);
            EXPECT_EQ(detail["receipt"]["instance"].get<std::string>().substr(0, 8),
                      name_of(*worker))
                << constraint << ": " << detail["workers"];
        }
    }
    const nlohmann::json detail = run("region=eu", "last");
    EXPECT_EQ(detail["invocation"]["constraints"], nlohmann::json::array({"region=eu"}));
    bool is_said = false;
    for (const nlohmann::json& worker : detail["workers"]) {
        is_said =
            is_said || (worker["verdict"] == "declined" &&
                        worker["message"].get<std::string>().find(
                            "the job asks for region=eu, this worker has gpu=a100 region=us") !=
                            std::string::npos);
    }
    EXPECT_TRUE(is_said) << detail["workers"];
}

TEST(Labels, OfNobodyEndTheJobWithTheConstraintAndTheRemedy) {
    const Desk desk;
    const auto worker = desk.start_worker({"--slots", "1", "--label", "region=us"});
    const Finished refused =
        desk(desk.kit("submit", "say", {"--constraint", "region=eu", "--queue-timeout", "1s"}));
    EXPECT_THAT(expect_error(refused, 125, "queue-timeout"),
                AllOf(HasSubstr("declined: constraint: the job asks for region=eu, this worker has "
                                "region=us"),
                      HasSubstr("start a worker with --label region=eu")));
    EXPECT_EQ(desk(desk.kit("submit", "say", {"--constraint", "region=us"})).status, 0)
        << "and others still run";
}

TEST(Labels, AreThoseOfTheSettingTooAndTheFlagWins) {
    const Desk desk;
    ASSERT_EQ(desk({"config", "set", "worker.labels", "region=eu disk=ssd"}).status, 0);
    const auto worker = desk.start_worker({"--label", "region=asia"});
    EXPECT_EQ(desk(desk.kit("submit", "say", {"--constraint", "disk=ssd,region=asia"})).status, 0);
    const std::string path = desk.file(
        "job.toml",
        "wasm_file = \"kit.wasm\"\nhandler = \"say\"\nconstraint = [\"disk in (hdd, ssd)\"]\n");
    const Finished shown = desk({"submit", "--job-file", path, "--dry-run"});
    EXPECT_THAT(shown.out, HasSubstr("Constraint:   disk in (hdd,ssd)\n")) << shown.err;
    EXPECT_EQ(desk({"submit", "--job-file", path}).status, 0);
}

TEST(Labels, ThatAreWrongAreRefusedAtOnce) {
    const Desk desk;
    EXPECT_THAT(expect_error(desk({"worker", "--label", "region"}), 120, "usage"),
                HasSubstr("'region' has to be KEY=VALUE"));
    EXPECT_THAT(expect_error(desk({"worker", "--label", "a=1", "--label", "a=2"}), 120, "usage"),
                HasSubstr("'a' is given twice"));
    EXPECT_THAT(expect_error(desk({"worker", "--label", "a b=c"}), 120, "usage"),
                HasSubstr("'a b' is no label's key"));
    EXPECT_THAT(expect_error(desk({"worker", "--set", "worker.labels=a=b=c"}), 120, "usage"),
                HasSubstr("setting worker.labels: 'b=c' is no label's value"));
    EXPECT_THAT(
        expect_error(desk(desk.kit("submit", "say", {"--constraint", "mem gt 3"})), 120, "usage"),
        HasSubstr("--constraint: 'mem gt 3' is no constraint"));
}

} // namespace
} // namespace ic::cli_test
