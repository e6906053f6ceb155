// What somebody could do who runs code of their own in an executor: nothing of this.

#include "base/unique_fd.h"
#include "executor/channel/system_calls.h"
#include "executor/channel/testing/attempts.h"
#include "executor/channel/walls.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

namespace ic::executor::channel {
namespace {

using testing::Attempt;
using testing::attempts;
using testing::Victim;

/// Runs `body` in a child behind all walls; what it writes to the descriptor it is given.
std::string behind_walls(ProcessKind kind, const std::function<void(int)>& body) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) {
        return "no pipe";
    }
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    const pid_t broker = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
        if (!raise_walls(broker) || forbid_other_system_calls(kind) != 0) {
            ::dprintf(writer.get(), "no walls: %s\n", ::strerror(errno));
            ::_exit(1);
        }
        body(writer.get());
        ::_exit(0);
    }
    writer.reset();
    std::string text;
    std::array<char, 4096> piece{};
    for (ssize_t count = 0; (count = ::read(reader.get(), piece.data(), piece.size())) > 0;) {
        text.append(piece.data(), static_cast<std::size_t>(count));
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return text + (status == 0 ? "" : "ended with " + std::to_string(status) + "\n");
}

void expect_all_refused(ProcessKind kind) {
    const Victim victim;
    const std::string report = behind_walls(kind, [&victim](int out) {
        for (const Attempt& attempt : attempts(victim.id())) {
            if (const std::string worked = testing::outcome_of(attempt); !worked.empty()) {
                ::dprintf(out, "%s: %s\n", attempt.name, worked.c_str());
            }
        }
        ::dprintf(out, "tried all\n");
    });
    EXPECT_EQ(report, "tried all\n");
    EXPECT_TRUE(victim.is_well());
}

TEST(SystemCalls, OfAnExecutorReachNothingOutside) { expect_all_refused(ProcessKind::executor); }

TEST(SystemCalls, OfACompilerReachNothingOutside) { expect_all_refused(ProcessKind::compiler); }

// So that the tests above can fail at all.
TEST(SystemCalls, WouldReachOutsideWithoutTheFilter) {
    const Victim victim;
    int worked = 0;
    for (const Attempt& attempt : attempts(victim.id())) {
        const std::string name = attempt.name;
        if (name == "open a file" || name == "an internet socket" || name == "a unix socket" ||
            name == "a handle of a process" || name == "signal another process") {
            const long result = attempt.make();
            worked += result >= 0 ? 1 : 0;
        }
    }
    EXPECT_EQ(worked, 5);
}

TEST(SystemCalls, LeaveWhatARunNeeds) {
    EXPECT_EQ(
        behind_walls(
            ProcessKind::executor,
            [](int out) {
                void* memory = ::mmap(
                    nullptr, 1U << 20U, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                const bool mapped = memory != MAP_FAILED;
                const bool code = ::mprotect(memory, 4096, PROT_READ | PROT_EXEC) == 0;
                const timespec moment{.tv_sec = 0, .tv_nsec = 1000};
                const bool slept = ::nanosleep(&moment, nullptr) == 0;
                const UniqueFd image(::memfd_create("image", MFD_CLOEXEC));
                ::dprintf(out, "%d%d%d%d\n", mapped, code, slept, bool(image));
            }),
        "1111\n");
}

TEST(SystemCalls, LetAProcessAbortItself) {
    const std::string report = behind_walls(ProcessKind::executor, [](int) {
        ::signal(SIGABRT, SIG_DFL);
        ::abort();
    });
    EXPECT_EQ(report, "ended with " + std::to_string(SIGABRT) + "\n");
}

} // namespace
} // namespace ic::executor::channel
