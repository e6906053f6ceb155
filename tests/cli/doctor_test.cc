/// doctor as people type it.

#include "cli/program.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

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

TEST(Doctor, BlamesTheCommandLineForWhatItSets) {
    const Program program;
    const Finished looked = program({"doctor", "--ipfs", "bogus"});
    EXPECT_TRUE(has_line(looked.out, "fail  config")) << looked.out;
    EXPECT_NE(looked.out.find("; change what the command line sets"), std::string::npos);
    EXPECT_EQ(looked.out.find("config.toml"), std::string::npos) << looked.out;
}

TEST(Doctor, NeedsAKuboWhereNodesAreConnectedThroughOne) {
    const Program program;
    const Finished alone = program({"doctor"});
    EXPECT_TRUE(has_line(alone.out, "ok    network    this machine alone")) << alone.out;
    // At port 1 nobody listens.
    const Finished looked =
        program({"doctor", "--ipfs", "kubo:http://127.0.0.1:1", "--set", "network.listen=off"});
    EXPECT_EQ(looked.status, 125);
    EXPECT_TRUE(has_line(looked.out, "fail  kubo")) << looked.out;
    EXPECT_NE(looked.out.find("; ipfs daemon"), std::string::npos) << "what to type";
    EXPECT_TRUE(has_line(looked.out, "ok    links      none are taken")) << looked.out;
    EXPECT_NE(looked.err.find("not in order: kubo;"), std::string::npos) << looked.err;
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

/// A command line in a user namespace that allows no other and has no capability: there a process
/// can leave neither the network nor the files of this machine, as in a strict container.
std::string confined(const std::string& words) {
    return "unshare --user --map-root-user sh -c 'echo 0 > /proc/sys/user/max_user_namespaces && "
           "exec setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all " +
           words + "' 2>&1";
}

/// What it printed, and its exit status.
std::pair<std::string, int> shell(const std::string& line) {
    std::FILE* const pipe = ::popen(line.c_str(), "r");
    std::string text;
    std::array<char, 512> piece{};
    while (pipe != nullptr && std::fgets(piece.data(), piece.size(), pipe) != nullptr) {
        text += piece.data();
    }
    const int status = pipe == nullptr ? -1 : ::pclose(pipe);
    return {text, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

TEST(Isolation, ThatIsRequiredAndImpossibleIsNamedAndNothingRuns) {
    if (shell(confined("true")).second != 0) {
        GTEST_SKIP() << "this machine allows no user namespace to try it in";
    }
    const Program program;
    ASSERT_EQ(program({"doctor"}).status, 0);
    const std::string compute =
        std::string("env IPFS_COMPUTE_PATH=") + program.home() + " " + IC_PROGRAM;
    for (const std::string command :
         {" worker --require-isolation", " worker --set isolation.require=network"}) {
        const auto [said, status] = shell(confined("timeout 20 " + compute + command));
        EXPECT_EQ(status, 126) << said;
        EXPECT_NE(said.find("refused: walls are required"), std::string::npos) << said;
        EXPECT_NE(said.find("network ("), std::string::npos) << said;
        EXPECT_NE(said.find("allow user namespaces"), std::string::npos) << "what to do";
        EXPECT_EQ(said.find("is ready"), std::string::npos) << said;
    }
    const auto [found, status] = shell(confined(compute + " doctor"));
    EXPECT_EQ(status, 0) << found;
    EXPECT_TRUE(has_line(found, "warn  isolation")) << found;
    EXPECT_NE(found.find("the network of this machine ("), std::string::npos) << found;
}

// The cgroup that this test is in has other processes, so it is not the program's to divide.
TEST(Isolation, OfResourcesIsRefusedInACgroupThatIsNotDelegated) {
    const Program program;
    const Finished looked = program({"doctor"});
    EXPECT_NE(looked.out.find("but no common bound on their memory and threads ("),
              std::string::npos)
        << looked.out;
    EXPECT_NE(looked.out.find("Delegate=yes"), std::string::npos) << "what to type";
    const Finished refused = program({"worker", "--set", "isolation.require=resources"});
    EXPECT_EQ(refused.status, 126);
    EXPECT_NE(refused.err.find("refused: walls are required"), std::string::npos) << refused.err;
    EXPECT_NE(refused.err.find(": resources ("), std::string::npos) << refused.err;
    EXPECT_EQ(refused.err.find("is ready"), std::string::npos) << refused.err;
}

} // namespace
