/// The frame around all commands: what a mistake looks like and how it ends.

#include "cli/program.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <string>
#include <vector>

namespace {

using ic::testing_support::Finished;
using ic::testing_support::Program;

TEST(Program, PrintsItsVersionForPeopleAndPrograms) {
    const Program program;
    EXPECT_EQ(program({"version"}).out, "ipfs-compute " IC_VERSION "\n");
    EXPECT_EQ(program({"version", "--json"}).out, "{\"version\":\"" IC_VERSION "\"}\n");
}

TEST(Program, NamesTheUnknownWordAndWhatWasMeant) {
    const Program program;
    const Finished unknown = program({"verison"});
    EXPECT_EQ(unknown.status, 120);
    EXPECT_EQ(unknown.out, "");
    EXPECT_EQ(unknown.err,
              "ipfs-compute: usage: unknown word 'verison' after 'ipfs-compute'; did you mean "
              "'version'?\n");
}

TEST(Program, RefusesAWordAfterACommandThatTakesNone) {
    const Program program;
    const Finished extra = program({"version", "add"});
    EXPECT_EQ(extra.status, 120);
    EXPECT_EQ(extra.out, "") << "nothing was done";
    EXPECT_EQ(extra.err,
              "ipfs-compute: usage: unknown word 'add' after 'version'; see 'ipfs-compute version "
              "--help'\n");
}

TEST(Program, RefusesAnUnknownOptionWithTheNearestOne) {
    const Program program;
    EXPECT_EQ(program({"version", "--jsn"}).err,
              "ipfs-compute: usage: unknown option '--jsn' after 'version'; did you mean "
              "'--json'?\n");
}

TEST(Program, SaysWhereAnOptionBelongsThatCameTooEarly) {
    const Program program;
    const auto said = [&](const std::vector<std::string>& words) {
        const Finished refused = ic::testing_support::run_process([&] {
            std::vector<std::string> all{IC_PROGRAM};
            all.insert(all.end(), words.begin(), words.end());
            return all;
        }());
        EXPECT_EQ(refused.status, 120);
        return refused.err;
    };
    EXPECT_EQ(said({"--set", "kubo=off", "version"}),
              "ipfs-compute: usage: '--set' goes after the command: 'ipfs-compute version --set "
              "...'\n");
    EXPECT_EQ(said({"--home=/nowhere", "config", "show"}),
              "ipfs-compute: usage: '--home' goes after the command: 'ipfs-compute config show "
              "--home ...'\n");
    EXPECT_EQ(said({"--set", "kubo=off"}),
              "ipfs-compute: usage: '--set' goes after the command: 'ipfs-compute COMMAND --set "
              "...'\n");
}

TEST(Program, TellsEveryErrorAsJsonWhereThatWasAskedFor) {
    const Program program;
    const std::string wasm = program.folder() + "/no.wasm";
    std::ofstream(wasm) << "no module";
    const std::vector<std::vector<std::string>> wrong{
        {"version", "--json", "--wrong"},
        {"config", "show", "--json", "--set", "nothing=1"},
        {"block", "stat", "--json", "no CID"},
        {"dag", "stat", "--json", "no CID"},
        {"pin", "rm", "--json", "no CID"},
        {"ls", "--json", "no CID"},
        {"get", "--json", "no CID"},
        {"add", "--json", "/nowhere/at/all"},
        {"job", "describe", "--json", "no CID"},
        {"job", "wait", "--json", "no CID"},
        {"module", "inspect", "--json", wasm},
        {"run", "--json", "--wasm-file", wasm},
        {"submit", "--json", "--wasm-file", wasm},
    };
    for (const std::vector<std::string>& words : wrong) {
        const Finished failed = program(words);
        EXPECT_GE(failed.status, 120) << words[0];
        const nlohmann::json told = nlohmann::json::parse(failed.out, nullptr, false);
        ASSERT_TRUE(told.is_object()) << words[0] << ": " << failed.out << failed.err;
        EXPECT_EQ(told["ok"], false);
        EXPECT_EQ(failed.err.substr(0, failed.err.find('\n')),
                  "ipfs-compute: " + told["error"].get<std::string>() + ": " +
                      told["message"].get<std::string>())
            << words[0];
        EXPECT_EQ(failed.out.find('\n'), failed.out.size() - 1) << "one line";
    }
    std::ofstream(program.home() + "/config.toml") << "kubbo = 3\n";
    EXPECT_EQ(program({"version"}).out, "ipfs-compute " IC_VERSION "\n") << "and without: none";
    EXPECT_EQ(program({"ls", "no CID"}).out, "");
}

TEST(Program, AsksForACommandWhereOneIsMissing) {
    const Program program;
    EXPECT_EQ(program({}).err,
              "ipfs-compute: usage: say what 'ipfs-compute' is to do; see 'ipfs-compute --help'\n");
    EXPECT_EQ(
        program({"config"}).err,
        "ipfs-compute: usage: say what 'config' is to do; see 'ipfs-compute config --help'\n");
}

TEST(Program, PrintsHelpWithExamplesOnStandardOutput) {
    const Program program;
    for (const char* flag : {"-h", "--help"}) {
        const Finished help = program({"version", flag});
        EXPECT_EQ(help.status, 0);
        EXPECT_NE(help.out.find("Examples:\n  ipfs-compute version"), std::string::npos)
            << help.out;
    }
}

TEST(Program, KeepsItsErrorOnOneLineWhateverTheWordHolds) {
    const Program program;
    const Finished nasty = program({"a\nb\x1b[2J"});
    EXPECT_EQ(nasty.err.find('\n'), nasty.err.size() - 1);
    EXPECT_EQ(nasty.err.find('\x1b'), std::string::npos);
}

// Descriptors that are closed are given to the next files that are opened: the store's.
TEST(Program, ReadsAndWritesNoFileOfItsOwnInPlaceOfAClosedStream) {
    const Program program;
    const std::string cid = program({"add", "-Q"}, {.input = "hello\n"}).out;
    const std::string home = " --home " + program.home();
    const Finished no_output = ic::testing_support::run_process(
        {"/bin/sh", "-c", IC_PROGRAM " cat" + home + " " + cid.substr(0, cid.size() - 1) + " >&-"});
    EXPECT_EQ(no_output.status, 125);
    EXPECT_EQ(no_output.err,
              "ipfs-compute: unavailable: cannot write to standard output: Bad file descriptor\n");
    const Finished no_input =
        ic::testing_support::run_process({"/bin/sh", "-c", IC_PROGRAM " add -Q" + home + " <&-"});
    EXPECT_EQ(no_input.status, 125);
    EXPECT_EQ(no_input.err,
              "ipfs-compute: unavailable: cannot read standard input: Bad file descriptor\n");
    EXPECT_EQ(program({"cat", cid.substr(0, cid.size() - 1)}).out, "hello\n") << "it is whole";
}

TEST(Program, PrintsItsVersionForTheUsualFlagToo) {
    const Program program;
    EXPECT_EQ(program({"--version"}).out, "ipfs-compute " IC_VERSION "\n");
}

TEST(Program, ReportsOutputThatCannotBeWritten) {
    const Program program;
    const Finished full = ic::testing_support::run_process(
        {"/bin/sh", "-c", std::string(IC_PROGRAM) + " version > /dev/full"});
    EXPECT_EQ(full.status, 125);
    EXPECT_EQ(full.err,
              "ipfs-compute: storage-full: cannot write to standard output: No space left on "
              "device\n");
}

} // namespace
