#include "base/file.h"
#include "wiring/doctor.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

namespace ic::wiring {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::sys_seconds some_day =
    std::chrono::sys_days{std::chrono::year{2027} / std::chrono::March / 4};

TEST(Doctor, FailsOnADiskThatIsFullAndWarnsOfOneThatIsNearly) {
    EXPECT_EQ(judge_disk("/home/x", limits::disk_bytes_low).verdict, Verdict::ok);
    EXPECT_EQ(judge_disk("/home/x", limits::disk_bytes_low - 1).verdict, Verdict::warn);
    EXPECT_EQ(judge_disk("/home/x", limits::disk_bytes_full).verdict, Verdict::warn);
    const Check full = judge_disk("/home/x", limits::disk_bytes_full - 1);
    EXPECT_EQ(full.verdict, Verdict::fail);
    EXPECT_EQ(full.error, Errc::storage_full);
    EXPECT_NE(full.remedy, "");
}

TEST(Doctor, FailsOnAClockThatIsOlderThanTheProgram) {
    EXPECT_EQ(judge_clock(some_day, std::nullopt).verdict, Verdict::ok);
    const Check reset = judge_clock(std::chrono::sys_seconds{}, std::nullopt);
    EXPECT_EQ(reset.verdict, Verdict::fail);
    EXPECT_NE(reset.remedy, "");
}

TEST(Doctor, WarnsOfAClockThatWasSetBackBehindTheLedger) {
    EXPECT_EQ(judge_clock(some_day, some_day + limits::clock_skew_max).verdict, Verdict::ok);
    const Check back = judge_clock(some_day, some_day + limits::clock_skew_max + 1s);
    EXPECT_EQ(back.verdict, Verdict::warn);
    EXPECT_NE(back.found.find("set back"), std::string::npos);
}

TEST(Doctor, WarnsOfAHomeThatOthersCanReadAndFailsOnAnothersHome) {
    EXPECT_EQ(judge_home("/home/x", 0700, 1000, 1000).verdict, Verdict::ok);
    const Check open = judge_home("/home/x", 0750, 1000, 1000);
    EXPECT_EQ(open.verdict, Verdict::warn);
    EXPECT_EQ(open.remedy, "chmod 700 /home/x");
    EXPECT_EQ(judge_home("/home/x", 0700, 0, 1000).error, Errc::refused);
}

TEST(Doctor, SaysOfEachWallWhetherItStandsAndWhyNot) {
    const executor::channel::WallSet none;
    const Check all = judge_isolation({}, none);
    EXPECT_EQ(all.verdict, Verdict::ok);
    for (const char* wall :
         {"no network", "no files", "no capabilities", "only the system calls", "their cgroup's"}) {
        EXPECT_NE(all.found.find(wall), std::string::npos) << wall;
    }
    const Check unfiltered = judge_isolation({.system_calls = ENOSYS}, none);
    EXPECT_EQ(unfiltered.verdict, Verdict::warn) << "the other walls stand";
    EXPECT_NE(unfiltered.found.find("no seccomp filter (Function not implemented)"),
              std::string::npos)
        << unfiltered.found;
    const Check refused =
        judge_isolation({.network = EPERM, .view = EPERM, .landlock = ENOSYS}, none);
    EXPECT_EQ(refused.verdict, Verdict::warn);
    EXPECT_NE(refused.found.find("the network of this machine (Operation not permitted)"),
              std::string::npos)
        << refused.found;
    EXPECT_NE(refused.found.find("the files of their user"), std::string::npos) << refused.found;
    EXPECT_NE(refused.remedy.find("network: allow user namespaces"), std::string::npos);
    EXPECT_NE(refused.remedy.find("files: "), std::string::npos);
    EXPECT_EQ(judge_isolation({.view = EPERM}, none).verdict, Verdict::ok) << "Landlock is enough";
    const Check shared = judge_isolation({.resources = EBUSY}, none);
    EXPECT_EQ(shared.verdict, Verdict::warn);
    EXPECT_NE(shared.found.find("(other processes are in its cgroup)"), std::string::npos)
        << shared.found;
    EXPECT_NE(shared.remedy.find("Delegate=yes"), std::string::npos) << shared.remedy;
}

TEST(Doctor, FailsWhereAWallIsMissingThatIsRequired) {
    const executor::channel::WallErrors errors{.network = EPERM};
    const auto required = [](const char* walls) {
        return executor::channel::WallSet::parse(walls).take();
    };
    EXPECT_EQ(judge_isolation(errors, required("files")).verdict, Verdict::warn);
    const Check missing = judge_isolation(errors, required("all"));
    EXPECT_EQ(missing.verdict, Verdict::fail);
    EXPECT_EQ(missing.error, Errc::refused);
}

TEST(Doctor, StopsAtAHomeThatIsNone) {
    std::string folder = testing::TempDir() + "ic-doctor-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    ASSERT_TRUE(write_file(folder + "/format_version", bytes_of("2\n"), 0600, IfExists::fail).ok());
    const std::vector<Check> checks =
        examine(folder, [](const char*) { return std::string(); }, {});
    ASSERT_EQ(checks.size(), 1U);
    EXPECT_EQ(checks.front().what, "home");
    EXPECT_EQ(checks.front().error, Errc::unsupported);
    std::filesystem::remove_all(folder);
}

} // namespace
} // namespace ic::wiring
