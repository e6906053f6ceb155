// The walls without the filter of system calls: what each of them holds alone.

#include "base/unique_fd.h"
#include "executor/channel/system_calls.h"
#include "executor/channel/testing/attempts.h"
#include "executor/channel/walls.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <string>

namespace ic::executor::channel {
namespace {

/// Runs `body` in a child behind the walls; what it writes.
std::string behind_walls(const std::function<void(int, const WallErrors&)>& body) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) {
        return "no pipe";
    }
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    const pid_t broker = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
        const Result<WallErrors> walls = raise_walls(broker);
        if (!walls) {
            ::dprintf(writer.get(), "no walls: %s", walls.error().message.c_str());
            ::_exit(1);
        }
        body(writer.get(), *walls);
        ::_exit(0);
    }
    writer.reset();
    std::string text;
    std::array<char, 1024> piece{};
    for (ssize_t count = 0; (count = ::read(reader.get(), piece.data(), piece.size())) > 0;) {
        text.append(piece.data(), static_cast<std::size_t>(count));
    }
    ::waitpid(child, nullptr, 0);
    return text;
}

/// What this kernel lets a process have. A test of a wall that it refuses has nothing to look at.
WallErrors walls_here() { return try_walls().take(); }

TEST(Walls, ThatCanBeTriedAreThoseThatStand) {
    const WallErrors tried = walls_here();
    const std::string stand = behind_walls([](int out, const WallErrors& walls) {
        ::dprintf(
            out, "%d %d %d %d", walls.network, walls.view, walls.landlock, walls.capabilities);
    });
    EXPECT_EQ(stand,
              std::to_string(tried.network) + " " + std::to_string(tried.view) + " " +
                  std::to_string(tried.landlock) + " " + std::to_string(tried.capabilities));
    EXPECT_EQ(tried.system_calls, is_filtered_build() ? 0 : ENOTSUP);
}

TEST(Walls, LeaveOneInterfaceThatIsDown) {
    if (walls_here().network != 0) {
        GTEST_SKIP() << "this kernel allows no network namespace";
    }
    EXPECT_EQ(behind_walls([](int out, const WallErrors&) {
                  std::array<char, IF_NAMESIZE> name{};
                  ::if_indextoname(1, name.data());
                  ::dprintf(out, "%s %d", name.data(), ::if_indextoname(2, name.data()) != nullptr);
              }),
              "lo 0");
}

TEST(Walls, ShowAnEmptyRootThatNobodyCanWriteTo) {
    if (walls_here().view != 0) {
        GTEST_SKIP() << "this kernel allows no mounts";
    }
    EXPECT_EQ(behind_walls([](int out, const WallErrors&) {
                  struct stat status{};
                  const bool passwd = ::stat("/etc/passwd", &status) == 0;
                  const bool proc = ::stat("/proc/self", &status) == 0;
                  const bool above =
                      ::stat("../../..", &status) == 0 && ::stat("/tmp", &status) == 0;
                  const bool made = ::mkdir("/made", 0700) == 0;
                  const bool again = ::chroot("/") == 0;
                  ::dprintf(out, "%d%d%d%d%d", passwd, proc, above, made, again);
              }),
              "00000");
}

TEST(Walls, OfTheKernelsRulesOpenNoFile) {
    const WallErrors here = walls_here();
    if (here.landlock != 0) {
        GTEST_SKIP() << "this kernel has no Landlock";
    }
    EXPECT_EQ(behind_walls([](int out, const WallErrors&) {
                  ::dprintf(out, "%d", ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
              }),
              "-1");
}

// Since version 6 of the kernel's rules; without them the filter of system calls is what forbids
// it.
TEST(Walls, OfTheKernelsRulesLetSignalsReachNobodyOutside) {
    constexpr unsigned ask_for_version = 1;
    if (walls_here().landlock != 0 ||
        ::syscall(SYS_landlock_create_ruleset, nullptr, 0, ask_for_version) < 6) {
        GTEST_SKIP() << "this kernel's rules know of no signals";
    }
    const testing::Victim victim;
    EXPECT_EQ(behind_walls([&victim](int out, const WallErrors&) {
                  const int other = ::kill(victim.id(), SIGTERM);
                  const int broker = ::kill(::getppid(), 0);
                  ::dprintf(out, "%d %d %d", other, broker, ::kill(::getpid(), 0));
              }),
              "-1 -1 0");
    EXPECT_TRUE(victim.is_well());
}

TEST(Walls, LeaveNoCapabilityAndNoWayToOne) {
    EXPECT_EQ(behind_walls([](int out, const WallErrors&) {
                  const int chroot = ::chroot("/");
                  const int host = ::sethostname("x", 1);
                  ::dprintf(
                      out, "%d %d %d", chroot, host, ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
              }),
              "-1 -1 1");
}

TEST(Walls, CountMemoryWithAFileThatWasOpenBefore) {
    const Result<UniqueFd> count = open_memory_count();
    ASSERT_TRUE(count);
    EXPECT_EQ(behind_walls([&count](int out, const WallErrors&) {
                  const bool limited = limit_memory_growth(*count, 64U << 20U).ok();
                  ::dprintf(out, "%d", limited);
              }),
              "1");
}

} // namespace
} // namespace ic::executor::channel
