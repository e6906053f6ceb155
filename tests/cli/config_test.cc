/// `config edit`, with editors that are scripts.

#include "cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace {

using ic::testing_support::Finished;
using ic::testing_support::Program;
using ::testing::HasSubstr;

std::string read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// A script with a blank in its path that does this with its last argument, "$file".
std::string editor(const Program& program, const std::string& what) {
    const std::string path = program.folder() + "/my editor";
    std::ofstream(path) << "#!/bin/sh\nfor file; do :; done\n" << what << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return "'" + path + "' --wait";
}

TEST(ConfigEdit, PutsWhatWasWrittenInPlace) {
    const Program program;
    ASSERT_EQ(program({"config", "set", "worker.slots", "3"}).status, 0);
    const Finished edited =
        program({"config", "edit"},
                {.environment = {"VISUAL=" + editor(program, "echo 'kubo = \"off\"' > \"$file\""),
                                 "EDITOR=/bin/false"}});
    EXPECT_EQ(edited.status, 0) << edited.err;
    EXPECT_EQ(edited.out + edited.err, "");
    EXPECT_EQ(read(program.home() + "/config.toml"), "kubo = \"off\"\n");
    const Finished same = program({"config", "edit"}, {.environment = {"VISUAL=", "EDITOR=true"}});
    EXPECT_EQ(same.status, 0);
    EXPECT_EQ(same.err, "nothing was changed\n");
}

TEST(ConfigEdit, KeepsWhatWouldNotBeReadAndSaysWhere) {
    const Program program;
    ASSERT_EQ(program({"config", "set", "worker.slots", "3"}).status, 0);
    const std::string before = read(program.home() + "/config.toml");
    const Finished wrong = program(
        {"config", "edit"},
        {.environment = {"VISUAL=", "EDITOR=" + editor(program, "echo 'slots = 3' > \"$file\"")}});
    EXPECT_EQ(wrong.status, 121);
    EXPECT_THAT(wrong.err, HasSubstr("ipfs-compute: malformed: what you wrote:1: unknown setting"));
    const std::string kept = "what you wrote is kept in ";
    const std::size_t at = wrong.err.find(kept);
    ASSERT_NE(at, std::string::npos) << wrong.err;
    const std::string where = wrong.err.substr(at + kept.size());
    EXPECT_EQ(read(where.substr(0, where.find('\n'))), "slots = 3\n");
    EXPECT_EQ(read(program.home() + "/config.toml"), before);
}

TEST(ConfigEdit, ChangesNothingWhereTheEditorFails) {
    const Program program;
    const Finished failed =
        program({"config", "edit"},
                {.environment = {"VISUAL=" + editor(program, "echo '# x' > \"$file\"; exit 3")}});
    EXPECT_EQ(failed.status, 125);
    EXPECT_THAT(failed.err, HasSubstr("ended with status 3"));
    EXPECT_THAT(failed.err, HasSubstr("what you wrote is kept in "));
    EXPECT_FALSE(std::filesystem::exists(program.home() + "/config.toml"));
    const Finished missing =
        program({"config", "edit"}, {.environment = {"VISUAL=/nowhere/editor 2>/dev/null"}});
    EXPECT_EQ(missing.status, 125);
    EXPECT_THAT(missing.err, HasSubstr("VISUAL or EDITOR names another one"));
    EXPECT_EQ(missing.err.find("is kept"), std::string::npos) << "nothing was written";
}

} // namespace
