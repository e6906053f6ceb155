/// The frame around all commands: what a mistake looks like and how it ends.

#include "cli/program.h"

#include <gtest/gtest.h>

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
