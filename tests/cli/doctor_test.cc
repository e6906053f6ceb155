/// doctor as people type it.

#include "cli/program.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

namespace {

using ic::testing_support::Finished;
using ic::testing_support::Program;

bool has_line(const std::string& text, const std::string& begin) {
    return ("\n" + text).find("\n" + begin) != std::string::npos;
}

TEST(Doctor, FindsAnEmptyHomeInOrderAndRunsAModuleInIt) {
    const Program program;
    const Finished looked = program({"doctor"});
    EXPECT_EQ(looked.status, 0) << looked.out << looked.err;
    for (const char* what :
         {"home", "config", "identity", "store", "ledger", "executor", "clock"}) {
        EXPECT_TRUE(has_line(looked.out, std::string("ok    ") + what)) << what << ":\n"
                                                                        << looked.out;
    }
    EXPECT_TRUE(has_line(looked.out, "warn  workers")) << looked.out;
    EXPECT_NE(looked.out.find("; ipfs-compute worker\n"), std::string::npos) << "what to type";
}

TEST(Doctor, FailsOnAKeyThatOthersMayReadAndLooksAtTheRest) {
    const Program program;
    ASSERT_EQ(program({"doctor"}).status, 0);
    ASSERT_EQ(::chmod((program.home() + "/identity.key").c_str(), 0644), 0);
    const Finished looked = program({"doctor"});
    EXPECT_EQ(looked.status, 125);
    EXPECT_TRUE(has_line(looked.out, "fail  identity")) << looked.out;
    EXPECT_NE(looked.out.find("chmod 600 "), std::string::npos) << looked.out;
    EXPECT_TRUE(has_line(looked.out, "ok    store")) << looked.out;
    EXPECT_EQ(
        looked.err,
        "ipfs-compute: unavailable: not in order: identity; the lines above say what to do\n");
}

TEST(Doctor, NamesTheLineOfAConfigurationThatIsNone) {
    const Program program;
    ASSERT_EQ(program({"doctor"}).status, 0);
    std::ofstream(program.home() + "/config.toml") << "kubo = \"off\"\nkubbo = 3\n";
    const Finished looked = program({"doctor", "--json"});
    EXPECT_EQ(looked.status, 125);
    EXPECT_NE(looked.out.find("config.toml:2"), std::string::npos) << looked.out;
    EXPECT_NE(looked.out.find("\"ok\":false"), std::string::npos) << looked.out;
}

} // namespace
