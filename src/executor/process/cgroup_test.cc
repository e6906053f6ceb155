#include "executor/process/cgroup.h"
#include "executor/process/testing/fake_cgroups.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace ic::executor::process {
namespace {

using testing::FakeCgroups;

constexpr pid_t broker = 100;
constexpr CgroupOptions options{
    .broker = broker, .slots = 2, .cores = 4, .machine_memory_bytes = 8'000'000'000};

std::unique_ptr<Cgroup> opened(FakeCgroups& groups) {
    Result<std::unique_ptr<Cgroup>> group = Cgroup::open(groups, options);
    EXPECT_TRUE(group) << group.error().message;
    return group ? std::move(group).take() : nullptr;
}

TEST(FolderOfGroup, IsWhereTheHierarchyIsMounted) {
    const std::string mounts =
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
        "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "41 31 0:38 / /sys/fs/cgroup/uni\\040fied rw shared:9 - cgroup2 c rw\n";
    EXPECT_EQ(folder_of_group("4:memory:/a\n0::/b/c\n", mounts), "/sys/fs/cgroup/uni fied/b/c");
    EXPECT_EQ(folder_of_group("0::/\n", mounts), "/sys/fs/cgroup/uni fied");
    EXPECT_EQ(folder_of_group("4:memory:/a\n", mounts), "") << "version 1 alone";
    EXPECT_EQ(folder_of_group("0::/../other\n", mounts), "") << "outside of the namespace";
    EXPECT_EQ(folder_of_group("0::/b\n", "1 2 0:3 / / rw - ext4 /dev/a rw\n"), "");
}

TEST(FolderOfGroup, IsSeenThroughAMountOfAPart) {
    const std::string mounts = "41 31 0:38 /machine/a /cg rw - cgroup2 cgroup2 rw\n";
    EXPECT_EQ(folder_of_group("0::/machine/a/b\n", mounts), "/cg/b");
    EXPECT_EQ(folder_of_group("0::/machine/a\n", mounts), "/cg");
    EXPECT_EQ(folder_of_group("0::/machine/ab\n", mounts), "");
}

TEST(Cgroup, LimitsWhatItTakesInAndLeavesTheBrokerOut) {
    FakeCgroups groups("100");
    const auto group = opened(groups);
    ASSERT_NE(group, nullptr);
    EXPECT_EQ(groups.groups["/cg/mine/ipfs-compute-broker-100"].processes,
              std::set<std::string>{"100"});
    groups.groups["/cg/mine/ipfs-compute-broker-100"].processes.insert("101"); // Started by it.
    EXPECT_EQ(group->take_in(101), 0);
    EXPECT_EQ(group->take_in(999), ESRCH);
    ASSERT_EQ(group->folder(), "/cg/mine/ipfs-compute-executors-100");
    auto& limited = groups.groups[group->folder()];
    EXPECT_EQ(limited.processes, std::set<std::string>{"101"});
    EXPECT_EQ(limited.values["memory.max"], "6000000000"); // 75 % of 8 GB.
    EXPECT_EQ(limited.values["memory.swap.max"], "0");
    EXPECT_EQ(limited.values["pids.max"], "72"); // 2 slots of 32 and 4.
}

TEST(Cgroup, GoesByTheLeastMemoryOfTheGroupsAbove) {
    FakeCgroups groups("100");
    groups.groups["/cg/mine"].values["memory.max"] = "1000000000\n";
    const auto group = opened(groups);
    ASSERT_NE(group, nullptr);
    EXPECT_EQ(groups.groups[group->folder()].values["memory.max"], "750000000");
}

TEST(Cgroup, TellsOnceThatTheKernelKilled) {
    FakeCgroups groups("100");
    const auto group = opened(groups);
    ASSERT_NE(group, nullptr);
    EXPECT_FALSE(group->has_killed());
    std::string& events = groups.groups[group->folder()].values["memory.events"];
    events = "low 0\nhigh 0\nmax 7\noom 2\noom_kill 0\noom_group_kill 0\n";
    EXPECT_FALSE(group->has_killed());
    events = "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 0\n";
    EXPECT_TRUE(group->has_killed());
    EXPECT_FALSE(group->has_killed());
}

TEST(Cgroup, LeavesAllAsItWasWhenItGoes) {
    FakeCgroups groups("100");
    opened(groups).reset();
    EXPECT_EQ(groups.groups.size(), 2U);
    EXPECT_EQ(groups.groups["/cg/mine"].processes, std::set<std::string>{"100"});
    EXPECT_TRUE(groups.groups["/cg/mine"].given.empty());
    EXPECT_NE(opened(groups), nullptr) << "and once more";
}

TEST(Cgroup, LeavesAllAsItWasWhereverItFails) {
    for (const char* file : {"/cg/mine/ipfs-compute-broker-100/cgroup.procs",
                             "/cg/mine/cgroup.subtree_control",
                             "/cg/mine/ipfs-compute-executors-100/memory.max",
                             "/cg/mine/ipfs-compute-executors-100/pids.max"}) {
        FakeCgroups groups("100");
        groups.fails = file;
        const auto group = Cgroup::open(groups, options);
        ASSERT_FALSE(group) << file;
        EXPECT_EQ(group.error().code, Errc::refused);
        EXPECT_EQ(groups.groups.size(), 2U) << file;
        EXPECT_EQ(groups.groups["/cg/mine"].processes, std::set<std::string>{"100"}) << file;
    }
}

TEST(Cgroup, NeedsNoAccountOfSwap) {
    FakeCgroups groups("100");
    groups.fails = "";
    struct NoSwap final : CgroupFiles {
        explicit NoSwap(FakeCgroups& all) : rest(all) {}
        std::optional<std::string> read(const std::string& path) override {
            return rest.read(path);
        }
        int write(const std::string& path, std::string_view text) override {
            return path.ends_with("/memory.swap.max") ? ENOENT : rest.write(path, text);
        }
        int make(const std::string& path) override { return rest.make(path); }
        int remove(const std::string& path) override { return rest.remove(path); }
        std::vector<std::string> groups_in(const std::string& path) override {
            return rest.groups_in(path);
        }
        bool may_write(const std::string& path) override { return rest.may_write(path); }
        bool is_delegated(const std::string& path) override { return rest.is_delegated(path); }
        FakeCgroups& rest;
    } files(groups);
    EXPECT_TRUE(Cgroup::open(files, options));
}

TEST(Cgroup, ClearsAwayWhatTheDeadLeftAndNothingElse) {
    FakeCgroups groups("100");
    auto& all = groups.groups;
    all["/cg/mine/ipfs-compute-broker-7"] = {}; // Dead, and so are its executors.
    all["/cg/mine/ipfs-compute-executors-7"] = {};
    all["/cg/mine/ipfs-compute-executors-8"] = {}; // A former start cleared its broker away.
    all["/cg/mine/ipfs-compute-broker-9"].processes = {"9"}; // Alive; nothing of it runs now.
    all["/cg/mine/ipfs-compute-executors-9"] = {};
    all["/cg/mine/ipfs-compute-broker-10"] = {}; // Killed just now; its executor is about to end.
    all["/cg/mine/ipfs-compute-executors-10"].processes = {"11"};
    all["/cg/mine/another"] = {};
    all["/cg/mine/ipfs-compute-broker-100"] = {}; // Of an earlier process with this number.
    const auto group = opened(groups);
    ASSERT_NE(group, nullptr);
    EXPECT_EQ(groups.groups_in("/cg/mine"),
              (std::vector<std::string>{"another",
                                        "ipfs-compute-broker-100",
                                        "ipfs-compute-broker-9",
                                        "ipfs-compute-executors-10",
                                        "ipfs-compute-executors-100",
                                        "ipfs-compute-executors-9"}));
}

class GroupLookTest : public ::testing::Test {
protected:
    /// What it says, and opening changes nothing where it says that nothing can be done.
    void expect(int error) {
        EXPECT_EQ(look_at_group(groups_, broker).error, error);
        EXPECT_EQ(Cgroup::open(groups_, options).ok(), error == 0);
        EXPECT_EQ(groups_.groups.size(), 2U);
    }

    FakeCgroups groups_{"100"};
};

TEST_F(GroupLookTest, FindsNothingWrong) { expect(0); }

TEST_F(GroupLookTest, SaysThatThereIsNoHierarchy) {
    groups_.files["/proc/self/cgroup"] = "4:memory:/v1\n";
    expect(ENODEV);
}

TEST_F(GroupLookTest, SaysThatAControllerIsNotThere) {
    groups_.groups["/cg/mine"].controllers = {"cpu", "pids"};
    expect(EOPNOTSUPP);
}

TEST_F(GroupLookTest, SaysThatTheGroupIsNotDelegated) {
    for (const char* path :
         {"/cg/mine", "/cg/mine/cgroup.procs", "/cg/mine/cgroup.subtree_control"}) {
        groups_.read_only = {path};
        expect(EACCES);
    }
    groups_.read_only = {};
    groups_.delegated = false; // Root, and another manages it.
    expect(EACCES);
}

TEST_F(GroupLookTest, SaysThatOtherProcessesAreInTheGroup) {
    groups_.groups["/cg/mine"].processes.insert("99");
    expect(EBUSY);
}

} // namespace
} // namespace ic::executor::process
