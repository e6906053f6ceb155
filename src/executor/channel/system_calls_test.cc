// What somebody could do who runs code of their own in an executor: nothing of this.

#include "base/unique_fd.h"
#include "executor/channel/system_calls.h"
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

/// Something an attacker tries: -1 with an errno, or it worked.
struct Attempt {
    const char* name;
    std::function<long()> make;
};

long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
    return ::syscall(number, a, b, c, d, e);
}

long address(const void* pointer) { return reinterpret_cast<long>(pointer); }

/// `victim` is a process of the same user outside.
std::vector<Attempt> attempts(pid_t victim) {
    static const std::string passwd = "/etc/passwd";
    static const std::string self = "/proc/self/exe";
    static const std::string new_file = "/tmp/ic-broken-out";
    static std::array<char*, 1> nothing{nullptr};
    static std::array<char, 64> buffer{};
    return {
        {"open a file",
         [] { return call(SYS_openat, AT_FDCWD, address(passwd.c_str()), O_RDONLY); }},
        {"open a file the old way",
         [] { return call(SYS_open, address(passwd.c_str()), O_RDONLY); }},
        {"open with openat2", [] { return call(SYS_openat2, AT_FDCWD, address(passwd.c_str())); }},
        {"create a file",
         [] {
             return call(SYS_openat, AT_FDCWD, address(new_file.c_str()), O_CREAT | O_RDWR, 0600);
         }},
        {"look at a path",
         [] { return call(SYS_stat, address(passwd.c_str()), address(&buffer)); }},
        {"remove a file", [] { return call(SYS_unlink, address(new_file.c_str())); }},
        {"make a folder", [] { return call(SYS_mkdir, address(new_file.c_str()), 0700); }},
        {"rename",
         [] { return call(SYS_rename, address(passwd.c_str()), address(new_file.c_str())); }},
        {"change the root", [] { return call(SYS_chroot, address("/")); }},
        {"mount", [] { return call(SYS_mount, 0, address("/"), 0, 0, 0); }},
        {"an internet socket", [] { return call(SYS_socket, AF_INET, SOCK_STREAM, 0); }},
        {"an IPv6 socket", [] { return call(SYS_socket, AF_INET6, SOCK_DGRAM, 0); }},
        {"a unix socket", [] { return call(SYS_socket, AF_UNIX, SOCK_STREAM, 0); }},
        {"a netlink socket", [] { return call(SYS_socket, AF_NETLINK, SOCK_RAW, 0); }},
        {"a pair of sockets",
         [] { return call(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, address(&buffer)); }},
        {"signal the broker", [] { return call(SYS_kill, ::getppid(), SIGTERM); }},
        {"signal another process", [victim] { return call(SYS_kill, victim, SIGTERM); }},
        {"signal everybody", [] { return call(SYS_kill, -1, SIGTERM); }},
        {"signal a thread elsewhere",
         [victim] { return call(SYS_tgkill, victim, victim, SIGTERM); }},
        {"signal a thread by its number", [victim] { return call(SYS_tkill, victim, SIGTERM); }},
        {"queue a signal",
         [victim] { return call(SYS_rt_sigqueueinfo, victim, SIGTERM, address(&buffer)); }},
        {"a handle of a process", [victim] { return call(SYS_pidfd_open, victim, 0); }},
        {"trace", [victim] { return call(SYS_ptrace, PTRACE_SEIZE, victim, 0, 0); }},
        {"read memory elsewhere",
         [victim] { return call(SYS_process_vm_readv, victim, 0, 0, 0, 0); }},
        {"write memory elsewhere",
         [victim] { return call(SYS_process_vm_writev, victim, 0, 0, 0, 0); }},
        {"limits of another process",
         [victim] { return call(SYS_prlimit64, victim, RLIMIT_CORE, 0, address(&buffer)); }},
        {"a process", [] { return call(SYS_fork); }},
        {"a process by vfork", [] { return call(SYS_clone, SIGCHLD, 0, 0, 0, 0); }},
        {"a process by clone3", [] { return call(SYS_clone3, address(&buffer), 64); }},
        {"another program",
         [] {
             return call(SYS_execve, address(self.c_str()), address(&nothing), address(&nothing));
         }},
        {"another program by descriptor",
         [] {
             return call(
                 SYS_execveat, 0, address(""), address(&nothing), address(&nothing), AT_EMPTY_PATH);
         }},
        {"a namespace", [] { return call(SYS_unshare, CLONE_NEWUSER); }},
        {"somebody's namespace", [] { return call(SYS_setns, 0, 0); }},
        {"io_uring", [] { return call(SYS_io_uring_setup, 1, address(&buffer)); }},
        {"bpf", [] { return call(SYS_bpf, 0, 0, 0); }},
        {"a perf event", [] { return call(SYS_perf_event_open, 0, 0, -1, -1, 0); }},
        {"userfaultfd", [] { return call(SYS_userfaultfd, 0); }},
        {"the keyring", [] { return call(SYS_keyctl, 0, -3, 0); }},
        {"shared memory of System V", [] { return call(SYS_shmget, 0, 4096, 01600); }},
        {"another user", [] { return call(SYS_setuid, 0); }},
        {"capabilities", [] { return call(SYS_capset, 0, 0); }},
        {"a kernel module", [] { return call(SYS_init_module, 0, 0, 0); }},
        {"the clock", [] { return call(SYS_clock_settime, 0, 0); }},
        {"a device request", [] { return call(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, address("x")); }},
    };
}

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

class Victim {
public:
    Victim() : id_(::fork()) {
        if (id_ == 0) {
            ::pause();
            ::_exit(0);
        }
    }

    ~Victim() {
        ::kill(id_, SIGKILL);
        ::waitpid(id_, nullptr, 0);
    }

    Victim(const Victim&) = delete;
    Victim& operator=(const Victim&) = delete;

    pid_t id() const { return id_; }

    bool is_well() const { return ::waitpid(id_, nullptr, WNOHANG) == 0; }

private:
    pid_t id_;
};

void expect_all_refused(ProcessKind kind) {
    const Victim victim;
    const std::string report = behind_walls(kind, [&victim](int out) {
        for (const Attempt& attempt : attempts(victim.id())) {
            errno = 0;
            const long result = attempt.make();
            const bool refused = result == -1 && (errno == EPERM || errno == ENOSYS);
            if (!refused) {
                ::dprintf(out, "%s: %ld, %s\n", attempt.name, result, ::strerror(errno));
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

TEST(SystemCalls, CanBeForbiddenOnThisKernel) { EXPECT_EQ(try_to_forbid_system_calls(), 0); }

} // namespace
} // namespace ic::executor::channel
