/// `--job-file`, `--dry-run`, `--id-only` and the times of stages.

#include "cli/desk.h"
#include "config/job_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace ic::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* some_cid = "bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

std::string read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

nlohmann::json dry_run(const Desk& desk, std::vector<std::string> words, HowToRun how = {}) {
    words.insert(words.begin(), {"submit", "--dry-run", "--json"});
    const Finished finished = desk(words, how);
    EXPECT_EQ(finished.status, 0) << finished.err;
    return json_of(finished.out);
}

TEST(JobFile, RunsAsItSaysFromAnyFolder) {
    const Desk desk;
    desk.file("event.txt", "from a file\n");
    const std::string path = desk.file(
        "job.toml", "wasm_file = \"kit.wasm\"\nhandler = \"echo\"\nevent = \"event.txt\"\n");
    const Finished run = desk({"run", "--job-file", path});
    EXPECT_EQ(run.status, 0) << run.err;
    EXPECT_EQ(run.out, "from a file\n");
    const auto worker = desk.start_worker();
    const Finished submitted = desk({"submit", "--job-file", path});
    EXPECT_EQ(submitted.status, 0) << submitted.err;
    EXPECT_EQ(submitted.out, "from a file\n");
}

TEST(JobFile, StandsUnderTheFlags) {
    const Desk desk;
    const std::string path = desk.file("job.json", R"({
        "wasm_file": "kit.wasm", "handler": "arguments", "arg": ["a", "b"],
        "env": {"A": "1", "B": "2"}, "label": {"batch": "7"}, "memory": "64MiB",
        "impure": true, "priority": 3, "retries": 2
    })");
    const auto invocation = [&](const std::vector<std::string>& more) {
        std::vector<std::string> words{"--job-file", path};
        words.insert(words.end(), more.begin(), more.end());
        return dry_run(desk, words)["invocation"];
    };
    const nlohmann::json plain = invocation({});
    EXPECT_EQ(plain["arguments"], nlohmann::json::array({"a", "b"}));
    EXPECT_EQ(plain["effects"], "impure");
    EXPECT_EQ(plain["priority"], 3);
    EXPECT_EQ(plain["timeouts"]["retries_max"], 2);
    EXPECT_EQ(plain["limits"]["memory_bytes_max"], 64 << 20);
    const nlohmann::json other = invocation({"--handler",
                                             "environment",
                                             "--env",
                                             "B=3",
                                             "--env",
                                             "C=4",
                                             "--impure=false",
                                             "--priority",
                                             "0",
                                             "--retries",
                                             "0",
                                             "--memory",
                                             "32MiB",
                                             "--",
                                             "c"});
    EXPECT_EQ(other["handler"], "environment");
    EXPECT_EQ(other["arguments"], nlohmann::json::array({"c"}));
    EXPECT_EQ(other["environment"], (nlohmann::json{{"A", "1"}, {"B", "3"}, {"C", "4"}}));
    EXPECT_EQ(other["labels"]["batch"], "7");
    EXPECT_EQ(other["effects"], "pure");
    EXPECT_EQ(other["priority"], 0);
    EXPECT_EQ(other["timeouts"]["retries_max"], 0);
    EXPECT_EQ(other["limits"]["memory_bytes_max"], 32 << 20);
    EXPECT_EQ(invocation({"--wasm-cid", some_cid})["module"], some_cid);
}

TEST(JobFile, ComesFromStandardInputToo) {
    const Desk desk;
    HowToRun how;
    how.input = R"({"wasm_file": ")" + desk.kit_file() + R"(", "nonce": "n"})";
    EXPECT_EQ(dry_run(desk, {"--job-file", "-"}, how)["invocation"]["nonce"], "6e");
    EXPECT_THAT(
        expect_error(desk({"submit", "--job-file", "-", "--event", "-"}, how), 120, "usage"),
        HasSubstr("leaves no standard input"));
}

TEST(JobFile, ThatIsWrongIsRefusedWithItsLine) {
    const Desk desk;
    const std::string path =
        desk.file("job.toml", "wasm_file = \"kit.wasm\"\n\nmemry = \"1MiB\"\n");
    const Finished finished = desk({"submit", "--job-file", path});
    EXPECT_NE(finished.status, 0);
    EXPECT_THAT(finished.err,
                HasSubstr("job.toml:3: unknown field 'memry'; did you mean 'memory'?"));
    EXPECT_NE(desk({"submit", "--job-file", desk.program().folder() + "/none"}).status, 0);
    EXPECT_EQ(desk({"job", "list", "--json"}).out, "");
}

std::string quoted_value(const config::JobField& field) {
    switch (field.type) {
    case config::JobFieldType::text:
        return field.name == "handler" ? "\"sum\"" : "\"n\"";
    case config::JobFieldType::texts:
        return field.name == "arg" ? R"(["1", "2"])" : R"(["example.org"])";
    case config::JobFieldType::pairs:
        return field.name == "input" ? R"({"A": ")" + std::string(some_cid) + "\"}"
                                     : R"({"A": "x"})";
    case config::JobFieldType::duration:
        return "\"9s\"";
    case config::JobFieldType::size:
    case config::JobFieldType::number:
        return field.name == "priority" ? "9" : "61";
    case config::JobFieldType::truth:
        return "true";
    }
    return "";
}

TEST(JobFile, EveryFieldReachesTheJob) {
    const Desk desk;
    std::string text = "{\"wasm_cid\": \"" + std::string(some_cid) + "\"";
    for (const config::JobField& field : config::job_fields()) {
        const std::set<std::string_view> apart{"wasm_cid", "wasm_file", "event", "import"};
        if (!apart.contains(field.name)) {
            text += ", \"" + std::string(field.name) + "\": " + quoted_value(field);
        }
    }
    const nlohmann::json shown =
        dry_run(desk, {"--job-file", desk.file("job.json", text + "}")})["invocation"];
    for (const auto& [name, value] : shown["limits"].items()) {
        EXPECT_EQ(value, name.ends_with("_ms_max") ? 9000 : 61) << name;
    }
    for (const auto& [name, value] : shown["timeouts"].items()) {
        EXPECT_EQ(value, name.ends_with("_ms_max") ? 9000 : 61) << name;
    }
    EXPECT_EQ(shown["handler"], "sum");
    EXPECT_EQ(shown["arguments"], nlohmann::json::array({"1", "2"}));
    EXPECT_EQ(shown["environment"]["A"], "x");
    EXPECT_EQ(shown["inputs"]["A"], some_cid);
    EXPECT_EQ(shown["allow_hosts"], nlohmann::json::array({"example.org"}));
    EXPECT_EQ(shown["constraints"], nlohmann::json::array({"example.org"}));
    EXPECT_EQ(shown["effects"], "impure");
    EXPECT_EQ(shown["labels"]["A"], "x");
    EXPECT_EQ(shown["nonce"], "6e");
    EXPECT_EQ(shown["priority"], 9);
}

TEST(JobFile, HasAFieldForEveryFlagOfAJobAndASchemaThatSaysTheSame) {
    const Desk desk;
    const nlohmann::json schema = json_of(desk({"submit", "--job-file-schema"}).out);
    std::set<std::string> described;
    for (const auto& [name, value] : schema["properties"].items()) {
        described.insert(name);
        EXPECT_TRUE(value.contains("description")) << name;
    }
    EXPECT_EQ(described.erase("$schema"), 1U);
    std::set<std::string> known;
    for (const config::JobField& field : config::job_fields()) {
        known.emplace(field.name);
    }
    EXPECT_EQ(described, known);

    // What is the command's own and says nothing of the job.
    const std::set<std::string> apart{"detach",
                                      "dry_run",
                                      "follow",
                                      "gateway",
                                      "help",
                                      "home",
                                      "id_only",
                                      "ipfs",
                                      "job_file",
                                      "job_file_schema",
                                      "json",
                                      "otlp_endpoint",
                                      "quiet",
                                      "set"};
    std::set<std::string> flags;
    std::istringstream words(
        testing_support::run_process({"/bin/bash",
                                      "-c",
                                      "source <(" IC_PROGRAM " completion bash); COMP_CWORD=2; "
                                      "COMP_WORDS=(ipfs-compute submit --); _ipfs_compute; "
                                      "echo ${COMPREPLY[@]}"})
            .out);
    for (std::string word; words >> word;) {
        std::ranges::replace(word, '-', '_');
        flags.insert(word.substr(2));
    }
    for (const std::string& flag : apart) {
        EXPECT_EQ(flags.erase(flag), 1U) << "completion does not offer --" << flag;
    }
    EXPECT_EQ(flags, known);
}

/// The indented blocks of a page that begin so.
std::vector<std::string> blocks_of(const std::string& page, std::string_view beginning) {
    std::vector<std::string> blocks;
    std::istringstream lines(page);
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        const bool is_code = line.starts_with("    ") || (inside && line.empty());
        if (is_code && !inside && line.substr(4).starts_with(beginning)) {
            blocks.emplace_back();
            inside = true;
        }
        inside = inside && is_code;
        if (inside) {
            blocks.back() += (line.empty() ? line : line.substr(4)) + "\n";
        }
    }
    return blocks;
}

TEST(JobFile, ExamplesOfThePageAreTaken) {
    const Desk desk;
    std::filesystem::copy_file(desk.kit_file(), desk.program().folder() + "/word_count.wasm");
    desk.file("corpus.txt", "one two\n");
    const std::string page = read(IC_ROOT "/docs/formats/job-file.md");
    const std::vector<std::string> tomls = blocks_of(page, "# ");
    const std::vector<std::string> jsons = blocks_of(page, "{");
    ASSERT_EQ(tomls.size(), 1U);
    ASSERT_EQ(jsons.size(), 1U);
    const nlohmann::json from_toml =
        dry_run(desk, {"--job-file", desk.file("job.toml", tomls.front())});
    const nlohmann::json from_json =
        dry_run(desk, {"--job-file", desk.file("job.json", jsons.front())});
    EXPECT_EQ(from_toml["computation"], from_json["computation"]);
    EXPECT_EQ(from_toml["invocation"], from_json["invocation"]);
}

TEST(DryRun, SaysWhatWouldRunAndLeavesNothing) {
    const Desk desk;
    ASSERT_EQ(desk({"init"}).status, 0);
    const std::string event = desk.file("event", std::string(100'000, 'e'));
    const auto blocks = [&desk] {
        return json_of(desk({"repo", "stat", "--json"}).out)["num_objects"].get<int>();
    };
    const int before = blocks();
    const std::vector<std::string> flags{"--event", event, "--timeout", "7s", "--memory", "64MiB"};
    std::vector<std::string> dry = desk.kit("submit", "echo", flags);
    dry.emplace_back("--dry-run");
    const Finished told = desk(dry);
    EXPECT_EQ(told.status, 0) << told.err;
    EXPECT_THAT(told.out, HasSubstr("Submitted:    no, --dry-run\n"));
    EXPECT_THAT(told.out, HasSubstr("  memory_bytes_max           64"));
    EXPECT_THAT(told.out, HasSubstr("  wall_ms_max                7.00 s\n"));
    EXPECT_EQ(blocks(), before);
    EXPECT_EQ(desk({"job", "list", "--json"}).out, "");
    const auto worker = desk.start_worker();
    const Finished submitted = desk(desk.kit("submit", "echo", flags));
    const std::string job = line_after(submitted.err, "job ");
    EXPECT_EQ(
        line_after(told.out, "Computation:  "),
        json_of(desk({"job", "describe", job, "--json"}).out)["computation"].get<std::string>());
}

TEST(DryRun, RefusesWhatASubmissionWould) {
    const Desk desk;
    const auto dry = [&desk](const std::string& handler, std::vector<std::string> more) {
        more.emplace_back("--dry-run");
        return desk(desk.kit("submit", handler, more));
    };
    expect_error(dry("no_such", {}), 121, "handler-missing");
    EXPECT_THAT(dry("_start", {"--memory", "5GiB"}).err, HasSubstr("limits.memory"));
    expect_error(dry("_start", {"--event", "/none"}), 124, "not-found");
    EXPECT_EQ(dry("_start", {"--allow-host", "example.org"}).status, 0);
    const nlohmann::json elsewhere = dry_run(desk, {"--wasm-cid", some_cid});
    EXPECT_EQ(elsewhere["module_is_here"], false);
}

TEST(IdOnly, PrintsTheIdAtOnceAndWaitsWithoutAWord) {
    const Desk desk;
    const auto submit = desk.start(desk.kit("submit", "exit", {"--id-only", "--", "3"}));
    ASSERT_TRUE(submit->wait_for_out("\n")) << submit->err();
    const std::string id = submit->out();
    EXPECT_THAT(id, StartsWith("bafyrei"));
    const auto worker = desk.start_worker();
    const Finished finished = submit->finish();
    EXPECT_EQ(finished.status, 3);
    EXPECT_EQ(finished.out, id);
    EXPECT_EQ(finished.err, "");

    const Finished say = desk(desk.kit("submit", "say", {"--id-only", "--json"}));
    EXPECT_EQ(say.status, 0) << say.err;
    EXPECT_TRUE(json_of(say.out).contains("known_before"));
    EXPECT_EQ(say.err, "");
    EXPECT_THAT(desk(desk.kit("submit", "loop", {"--id-only", "--detach"})).out,
                StartsWith("bafyrei"));
    expect_error(desk(desk.kit("submit", "say", {"--id-only", "--follow"})), 120, "usage");
    const Finished trap = desk(desk.kit("submit", "trap", {"--id-only"}));
    EXPECT_THAT(trap.out, StartsWith("bafyrei"));
    EXPECT_THAT(trap.err, StartsWith("ipfs-compute: trap"));
}

TEST(Stages, TakeTheTimesThatTheirFlagsSay) {
    const Desk desk;
    const Timed alone = desk.timed(desk.kit("submit", "_start", {"--queue-timeout", "300ms"}));
    EXPECT_THAT(expect_error(alone.finished, 125, "queue-timeout"), HasSubstr("300 ms"));
    const nlohmann::json times = dry_run(desk,
                                         {"--wasm-cid",
                                          some_cid,
                                          "--claim-timeout",
                                          "1s",
                                          "--fetch-timeout",
                                          "2s",
                                          "--publish-timeout",
                                          "3s"});
    EXPECT_EQ(times["invocation"]["timeouts"]["claim_ms_max"], 1000);
    EXPECT_EQ(times["invocation"]["timeouts"]["fetch_ms_max"], 2000);
    EXPECT_EQ(times["invocation"]["timeouts"]["publish_ms_max"], 3000);
    expect_error(desk(desk.kit("submit", "_start", {"--claim-timeout", "0s"})), 120, "usage");
    expect_error(desk(desk.kit("submit", "_start", {"--retries", "101"})), 120, "usage");
}

TEST(Stages, NothingIsTriedAgainIfToldSo) {
    const Desk desk;
    const auto worker = desk.start_worker();
    const Finished missing = desk({"submit", "--wasm-cid", some_cid, "--retries", "0", "--json"});
    EXPECT_NE(missing.status, 0);
    EXPECT_EQ(json_of(missing.out)["attempts"], 1) << missing.out;
}

} // namespace
} // namespace ic::cli_test
