/// `run`: what people type and what they get, here and without a worker.

#include "cli/desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ic::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::string_literals;

TEST(Run, PrintsWhatTheGuestWroteAndNothingElse) {
    const Desk desk;
    const Finished ran = desk(desk.kit("run", "_start"));
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_EQ(ran.out, "hello\n");
    EXPECT_THAT(line_after(ran.err, "output "), ::testing::StartsWith("baf"));
    EXPECT_THAT(line_after(ran.err, "receipt "), HasSubstr(", signed by did:key:z6Mk"));
    EXPECT_THAT(ran.err, Not(HasSubstr("\x1b"))) << "no live line where there is no terminal";
}

TEST(Run, SaysNothingMoreWhenQuiet) {
    const Desk desk;
    const Finished ran = desk(desk.kit("run", "_start", {"-q"}));
    EXPECT_EQ(ran.out, "hello\n");
    EXPECT_EQ(ran.err, "");
}

TEST(Run, HasAFlagForEachLimit) {
    const Desk desk;
    EXPECT_EQ(desk(desk.kit("run", "_start", {"--output-size", "6"})).status, 0) << "hello and \\n";
    expect_error(desk(desk.kit("run", "_start", {"--output-size", "5"})), 123, "limit-output");
    expect_error(desk(desk.kit("run", "_start", {"--module-size", "64"})), 121, "module-too-large");
    expect_error(desk(desk.kit("run", "_start", {"--host-calls", "0"})), 123, "limit-host-calls");
    expect_error(desk(desk.kit("run", "_start", {"--curls", "65"})), 126, "refused");
    expect_error(desk(desk.kit("run", "_start", {"--table-elements", "many"})), 120, "usage");
    EXPECT_EQ(desk(desk.kit("run",
                            "_start",
                            {"--cpu-time",
                             "5s",
                             "--compile-memory",
                             "512MiB",
                             "--table-elements",
                             "1000",
                             "--log-size",
                             "1kB",
                             "--add-size",
                             "1MiB",
                             "--handles",
                             "1",
                             "--curls",
                             "2",
                             "--host-calls",
                             "100"}))
                  .status,
              0);
}

TEST(Run, ComparesRunsOfPureJobs) {
    const Desk desk;
    const Finished alike = desk(desk.kit("run", "_start", {"--verify-determinism", "3"}));
    EXPECT_EQ(alike.status, 0) << alike.err;
    EXPECT_EQ(alike.out, "hello\n") << "of the first run alone";
    EXPECT_THAT(alike.err, HasSubstr("3 runs, all alike\n"));

    // The results are the same whatever the node's setting for what it adds.
    const auto result_of = [&](const std::vector<std::string>& options) {
        return json_of(desk(desk.kit("run", "say", options)).out);
    };
    const nlohmann::json usual = result_of({"--json"});
    const nlohmann::json other = result_of({"--json", "--set", "import.profile=unixfs-v0-2015"});
    EXPECT_EQ(usual["receipt"]["output"], other["receipt"]["output"]) << usual << other;

    // What is written until the time is over is no function of the inputs.
    const Finished timed = desk(
        desk.kit("run",
                 "flood_output",
                 {"--verify-determinism", "5", "--timeout", "100ms", "--output-size", "256MiB"}));
    expect_error(timed, 121, "nondeterministic");
    EXPECT_THAT(timed.err, HasSubstr("differs from the first: standard output was baf"));

    for (const char* runs : {"0", "100001", "many"}) {
        expect_error(desk(desk.kit("run", "_start", {"--verify-determinism", runs})), 120, "usage");
    }
    for (const char* impure : {"--impure", "--allow-host=example.org"}) {
        expect_error(
            desk(desk.kit("run", "_start", {"--verify-determinism", "2", impure})), 120, "usage");
    }
}

TEST(Run, PassesBinaryEventsAndOutputOnByteByByte) {
    const Desk desk;
    std::string bytes;
    for (int index = 0; index < 200'000; ++index) {
        bytes.push_back(static_cast<char>(index * 7 + index / 256));
    }
    const std::string file = desk.file("event", bytes);
    EXPECT_EQ(desk(desk.kit("run", "echo", {"--event", file})).out, bytes);
    HowToRun piped;
    piped.input = bytes;
    EXPECT_EQ(desk(desk.kit("run", "echo", {"--event", "-"}), piped).out, bytes);
}

/// `COMMAND -q --wasm-file KIT MORE` as bash runs it, with SIGPIPE as people's shells have it.
Finished in_shell(const Desk& desk, const std::string& command, const std::string& more) {
    return testing_support::run_process(
        {"/usr/bin/env",
         "--default-signal=PIPE",
         "IPFS_COMPUTE_PATH=" + desk.program().home(),
         "/bin/bash",
         "-c",
         IC_PROGRAM " " + command + " -q --wasm-file '" + desk.kit_file() + "' " + more});
}

TEST(Run, SaysThatItsOutputIsLostAsSubmitDoes) {
    const Desk desk;
    const auto worker = desk.start_worker();
    for (const char* command : {"run", "submit --follow --no-cache", "submit --no-cache"}) {
        for (const char* handler : {"_start", "flood_output"}) {
            const Finished full =
                in_shell(desk, command, "--handler " + std::string(handler) + " > /dev/full");
            EXPECT_EQ(full.status, 125) << command << " " << handler;
            EXPECT_THAT(full.err, HasSubstr("ipfs-compute: storage-full: "));
            EXPECT_THAT(full.err, HasSubstr("cannot write to standard output: No space left"));
        }
    }
}

TEST(Run, EndsWithTheReaderOfItsOutput) {
    const Desk desk;
    const Finished head = in_shell(
        desk, "run", "--handler flood_output | head -c 1; echo \"status ${PIPESTATUS[0]}\" >&2");
    EXPECT_EQ(head.out.size(), 1U);
    EXPECT_EQ(head.err, "status 141\n");
}

TEST(Run, GivesAnEmptyEventWithoutOneAndFromEmptyInput) {
    const Desk desk;
    HowToRun unread;
    unread.input = "not asked for";
    const Finished without = desk(desk.kit("run", "echo"), unread);
    EXPECT_EQ(without.status, 0) << without.err;
    EXPECT_EQ(without.out, "");
    EXPECT_EQ(desk(desk.kit("run", "echo", {"--event", "-"})).out, "");
    EXPECT_EQ(desk(desk.kit("run", "echo", {"--event", desk.file("none", "")})).out, "");
}

TEST(Run, PrintsTheIntegerResultAsALineWhenNothingWasWritten) {
    const Desk desk;
    EXPECT_EQ(desk(desk.kit("run", "answer")).out, "-9007199254740993\n");
    EXPECT_EQ(desk(desk.kit("run", "nothing")).out, "");
    EXPECT_EQ(desk(desk.kit("run", "echo_and_answer")).out, "7\n");
    const std::string event = desk.file("event", "text");
    EXPECT_EQ(desk(desk.kit("run", "echo_and_answer", {"--event", event})).out, "text");
}

TEST(Run, GivesArgumentsInTheOrderOfTheCommandLine) {
    const Desk desk;
    const Finished ran = desk(desk.kit(
        "run", "arguments", {"--arg", "one", "--arg", "-2", "--arg", "", "--", "--three", "a b"}));
    EXPECT_EQ(ran.out, "arguments\0one\0-2\0\0--three\0a b\0"s) << ran.err;
    EXPECT_EQ(desk(desk.kit("run", "sum", {"--", "2", "-44"})).out, "-42\n");
}

TEST(Run, GivesTheEnvironmentAndInputsAsVariables) {
    const Desk desk;
    const std::string cid = "bafkqaaa"; // Nothing, as an identity CID.
    const Finished ran = desk(desk.kit("run",
                                       "environment",
                                       {"--env",
                                        "B=2=2",
                                        "--input",
                                        "a-file=" + cid,
                                        "--env",
                                        "A=",
                                        "--input",
                                        "x=/ipfs/" + cid}));
    EXPECT_EQ(ran.out, "A=\0B=2=2\0INPUT_A_FILE=bafkqaaa\0INPUT_X=bafkqaaa\0"s) << ran.err;
}

TEST(Run, PassesTheGuestsOwnExitStatusOn) {
    const Desk desk;
    for (const int status : {0, 1, 3, 119}) {
        const Finished ran = desk(desk.kit("run", "exit", {"-q", "--arg", std::to_string(status)}));
        EXPECT_EQ(ran.status, status);
        EXPECT_EQ(ran.err, "");
    }
}

TEST(Run, ShowsAGuestsStatusAbove119As119WithALine) {
    const Desk desk;
    for (const char* status : {"120", "125", "255", "4000000000"}) {
        const Finished ran = desk(desk.kit("run", "exit", {"-q", "--arg", status}));
        EXPECT_EQ(ran.status, 119) << status;
        EXPECT_THAT(ran.err, ::testing::StartsWith("ipfs-compute: guest-exit: the guest exited"));
        EXPECT_EQ(ran.err.find('\n'), ran.err.size() - 1);
    }
}

TEST(Run, ShowsLogAndErrorsOnceOnStandardError) {
    const Desk desk;
    const Finished ran = desk(desk.kit("run", "say", {"-q"}));
    EXPECT_EQ(ran.out, "to output\n");
    EXPECT_THAT(ran.err,
                ::testing::AnyOf("log: to the log\nto errors\n", "to errors\nlog: to the log\n"));
}

TEST(Run, TellsAllAsJsonOfSuccessTrapAndLimit) {
    const Desk desk;
    const Finished success = desk(desk.kit("run", "echo_and_answer", {"--json"}));
    EXPECT_EQ(success.status, 0) << success.err;
    const nlohmann::json good = json_of(success.out);
    EXPECT_EQ(good["ok"], true);
    EXPECT_EQ(good["value"], 7);
    EXPECT_EQ(good["error"], nullptr);
    EXPECT_EQ(good["stdout"], nullptr);
    EXPECT_EQ(good["exit_status"], 0);
    EXPECT_EQ(good["receipt"]["ending"]["value"], 7);

    const Finished trap = desk(desk.kit("run", "trap", {"--json"}));
    expect_error(trap, 122, "trap-unreachable");
    EXPECT_EQ(json_of(trap.out)["error"], "trap-unreachable");
    EXPECT_EQ(json_of(trap.out)["ok"], false);

    const Finished limit = desk(desk.kit("run", "grow", {"--json", "--memory", "2MiB"}));
    EXPECT_THAT(expect_error(limit, 123, "limit-memory"), HasSubstr("2097152"));
    EXPECT_EQ(json_of(limit.out)["error"], "limit-memory");

    // The same members, whatever the ending.
    for (const Finished* other : {&trap, &limit}) {
        const nlohmann::json document = json_of(other->out);
        for (const auto& [key, value] : good.items()) {
            EXPECT_TRUE(document.contains(key)) << key;
        }
        EXPECT_EQ(document.size(), good.size());
    }

    const Finished text = desk(desk.kit("run", "_start", {"--json"}));
    EXPECT_EQ(json_of(text.out)["stdout"], "hello\n");
}

struct Mistake {
    const char* name;
    std::vector<std::string> words;
    int status;
    const char* code;
    const char* says;
};

class Mistakes : public ::testing::TestWithParam<Mistake> {};

// Nothing of these needs a worker; `submit` reads its command line with the same code.
TEST_P(Mistakes, AreOneLineThatNamesCauseAndRemedy) {
    const Desk desk;
    std::vector<std::string> words = GetParam().words;
    for (std::string& word : words) {
        if (word == "KIT") {
            word = desk.kit_file();
        } else if (word == "TEXT") {
            word = desk.file("module.wat", "(module)");
        } else if (word == "COMPONENT") {
            word = desk.file("component.wasm", "\0asm\x0d\0\1\0"s);
        }
    }
    const Finished ran = desk(words);
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(expect_error(ran, GetParam().status, GetParam().code), HasSubstr(GetParam().says));
    EXPECT_EQ(ran.err.find('\n'), ran.err.size() - 1) << ran.err;
}

INSTANTIATE_TEST_SUITE_P(
    Of,
    Mistakes,
    ::testing::Values(
        Mistake{"NoModule", {"run"}, 120, "usage", "--wasm-cid CID and --wasm-file FILE"},
        Mistake{"TwoModules",
                {"run", "--wasm-file", "KIT", "--wasm-cid", "bafkqaaa"},
                120,
                "usage",
                "one of"},
        Mistake{"AWordBeforeTheDashes",
                {"run", "--wasm-file", "KIT", "handler"},
                120,
                "usage",
                "unknown word 'handler' after 'run'"},
        Mistake{"AWordBehindAnArgument",
                {"run", "--wasm-file", "KIT", "--arg", "a", "b"},
                120,
                "usage",
                "unknown word 'b' after 'run'"},
        Mistake{"AWordOfSubmit",
                {"submit", "--wasm-file", "KIT", "now", "--", "words"},
                120,
                "usage",
                "unknown word 'now' after 'submit'"},
        Mistake{"AnOptionMisspelt",
                {"run", "--wasm-fil", "KIT"},
                120,
                "usage",
                "did you mean '--wasm-file'?"},
        Mistake{"NoSuchFile",
                {"run", "--wasm-file", "/nowhere/x.wasm"},
                124,
                "not-found",
                "--wasm-file: cannot open /nowhere/x.wasm"},
        Mistake{"AFolder",
                {"run", "--wasm-file", "/tmp"},
                120,
                "usage",
                "--wasm-file: /tmp is a folder"},
        Mistake{"NoSuchEvent",
                {"run", "--wasm-file", "KIT", "--event", "/nowhere/event"},
                124,
                "not-found",
                "--event"},
        Mistake{
            "NoCid", {"run", "--wasm-cid", "hello"}, 120, "usage", "--wasm-cid 'hello' is no CID"},
        Mistake{"APathForAModule",
                {"run", "--wasm-cid", "bafkqaaa/x.wasm"},
                120,
                "usage",
                "has a path behind its CID"},
        Mistake{"AnInputWithoutAName",
                {"run", "--wasm-file", "KIT", "--input", "bafkqaaa"},
                120,
                "usage",
                "has to be NAME=VALUE"},
        Mistake{"AnInputThatIsNoCid",
                {"run", "--wasm-file", "KIT", "--input", "a=b"},
                120,
                "usage",
                "'b' is no CID"},
        Mistake{"AVariableTwice",
                {"run", "--wasm-file", "KIT", "--env", "A=1", "--env", "A=2"},
                120,
                "usage",
                "--env gives 'A' twice"},
        Mistake{"ATimeWithoutAUnit",
                {"run", "--wasm-file", "KIT", "--timeout", "soon"},
                120,
                "usage",
                "--timeout"},
        Mistake{"NoTime",
                {"run", "--wasm-file", "KIT", "--timeout", "0s"},
                120,
                "usage",
                "--timeout has to be longer than nothing"},
        Mistake{"NoTotalTime",
                {"submit", "--wasm-file", "KIT", "--total-timeout", "0s"},
                120,
                "usage",
                "--total-timeout has to be longer than nothing"},
        Mistake{
            "NoSize", {"run", "--wasm-file", "KIT", "--memory", "much"}, 120, "usage", "--memory"},
        Mistake{"NoFuel",
                {"run", "--wasm-file", "KIT", "--fuel", "1.5"},
                120,
                "usage",
                "--fuel '1.5' has to be a whole number"},
        Mistake{"APriorityBeyondNine",
                {"run", "--wasm-file", "KIT", "--priority", "10"},
                120,
                "usage",
                "--priority"},
        Mistake{"AHostThatIsNone",
                {"run", "--wasm-file", "KIT", "--allow-host", "http://example.org/"},
                120,
                "usage",
                "--allow-host 'http://example.org/'"},
        Mistake{"AnyHost",
                {"run", "--wasm-file", "KIT", "--allow-host", "*"},
                120,
                "usage",
                "--allow-host '*'"},
        Mistake{"AnyHostElsewhere",
                {"submit", "--dry-run", "--wasm-file", "KIT", "--allow-host", "*"},
                120,
                "usage",
                "--allow-host '*'"},
        Mistake{"AnyHostAtAPort",
                {"submit", "--wasm-file", "KIT", "--allow-host", "*:18765"},
                120,
                "usage",
                "--allow-host '*:18765'"},
        Mistake{"NoHost",
                {"run", "--wasm-file", "KIT", "--allow-host", ""},
                120,
                "usage",
                "--allow-host ''"},
        Mistake{
            "AHostTwice",
            {"run", "--wasm-file", "KIT", "--allow-host", "a.example", "--allow-host", "a.example"},
            120,
            "usage",
            "--allow-host 'a.example' is given twice"},
        Mistake{"TwoWordsAsAHost",
                {"submit", "--wasm-file", "KIT", "--allow-host", "a b"},
                120,
                "usage",
                "--allow-host 'a b'"},
        Mistake{"FuelOfNothing",
                {"run", "--wasm-file", "KIT", "--fuel", "0"},
                120,
                "usage",
                "--fuel 0 lets no guest do anything; leave it out for no limit"},
        Mistake{"FuelBeyondWhatAJobCanSay",
                {"run", "--wasm-file", "KIT", "--fuel", "18446744073709551615"},
                121,
                "too-large",
                "--fuel is above "},
        Mistake{"FuelBeyondAllNumbers",
                {"submit", "--wasm-file", "KIT", "--fuel", "18446744073709551616"},
                120,
                "usage",
                "--fuel '18446744073709551616' is too large a number"},
        Mistake{"HandlesBeyondTheirNumber",
                {"run", "--wasm-file", "KIT", "--handles", "4294967296"},
                120,
                "usage",
                "--handles '4294967296' is too large a number"},
        Mistake{"AnEmptySize",
                {"run", "--wasm-file", "KIT", "--memory", ""},
                120,
                "usage",
                "--memory is empty"},
        Mistake{"AnEmptyNumber",
                {"submit", "--wasm-file", "KIT", "--host-calls", ""},
                120,
                "usage",
                "--host-calls is empty"},
        Mistake{"AnEmptyEvent",
                {"submit", "--wasm-file", "KIT", "--event", ""},
                120,
                "usage",
                "--event is empty"},
        Mistake{"AnEmptyJobFile",
                {"run", "--wasm-file", "KIT", "--job-file", ""},
                120,
                "usage",
                "--job-file is empty"},
        Mistake{"AnAddressThatIsNone",
                {"run", "--wasm-file", "KIT", "--allow-private-address", "here"},
                120,
                "usage",
                "--allow-private-address 'here'"},
        Mistake{"MoreMemoryThanThisNodeGives",
                {"run", "--wasm-file", "KIT", "--memory", "8GiB"},
                126,
                "refused",
                "memory"}),
    [](const auto& mistake) { return std::string(mistake.param.name); });

// They are refused before a job is made (module_test.cc has more of that).
TEST(Run, NamesWhatIsWrongWithAModule) {
    const Desk desk;
    const std::string text = desk.file("module.wat", "(module)");
    EXPECT_THAT(expect_error(desk({"run", "--wasm-file", text}), 121, "module-invalid"),
                HasSubstr("text"));
    const std::string component = desk.file("component.wasm", "\0asm\x0d\0\1\0"s);
    EXPECT_THAT(expect_error(desk({"run", "--wasm-file", component}), 121, "module-invalid"),
                HasSubstr("component"));
    const std::string rubbish = desk.file("rubbish", "\x7f\x45LF");
    expect_error(desk({"run", "--wasm-file", rubbish}), 121, "module-invalid");
    const std::string empty = desk.file("empty", "");
    expect_error(desk({"run", "--wasm-file", empty}), 121, "module-invalid");
    const std::string imports =
        desk.wasm("imports", R"((module (import "env" "teleport" (func))))");
    EXPECT_THAT(expect_error(desk({"run", "--wasm-file", imports}), 121, "import-missing"),
                HasSubstr("teleport"));
}

TEST(Run, ListsTheExportsWhenTheHandlerIsMissing) {
    const Desk desk;
    const std::string says = expect_error(desk(desk.kit("run", "handler")), 121, "handler-missing");
    EXPECT_THAT(says, HasSubstr("handler"));
    EXPECT_THAT(says, HasSubstr("echo_and_answer"));
    EXPECT_THAT(
        expect_error(desk(desk.kit("run", "sum", {"--arg", "1"})), 121, "handler-signature"),
        HasSubstr("2"));
    EXPECT_THAT(
        expect_error(desk(desk.kit("run", "sum", {"--", "1", "two"})), 121, "handler-signature"),
        HasSubstr("argument 2"));
}

TEST(Run, SaysThatAModuleIsNowhereToBeHad) {
    const Desk desk;
    const std::string cid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
    const std::string says = expect_error(desk({"run", "--wasm-cid", cid}), 124, "cid-unavailable");
    EXPECT_THAT(says, HasSubstr(cid));
    EXPECT_THAT(says, HasSubstr("ipfs-compute add")) << "a remedy";
}

TEST(Run, StopsTheGuestOnCtrlC) {
    const Desk desk;
    const auto run = desk.start(desk.kit("run", "begin_and_loop"));
    ASSERT_TRUE(run->wait_for_out("begun\n")) << "output comes while it runs; " << run->err();
    ASSERT_TRUE(run->wait_for_err("log: begun\n"));
    run->signal_group(SIGINT); // As a terminal does it: to all of its processes.
    const Finished stopped = run->finish();
    expect_error(stopped, 126, "cancelled");
    EXPECT_EQ(stopped.out, "begun\n");
}

TEST(Run, StopsASleepingGuestOnCtrlC) {
    const Desk desk;
    const auto run = desk.start(desk.kit("run", "begin_and_sleep", {"--impure"}));
    ASSERT_TRUE(run->wait_for_out("begun\n")) << run->err();
    run->signal(SIGTERM);
    expect_error(run->finish(), 126, "cancelled");
}

} // namespace
} // namespace ic::cli_test
