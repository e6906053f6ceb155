#include "executor/channel/walls.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string>

namespace ic::executor::channel {
namespace {

Error failed(const char* what) {
    return Error{Errc::internal, std::string(what) + ": " + std::strerror(errno)};
}

Result<void> set_limit(__rlimit_resource resource, rlim_t value) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0) {
        return failed("getrlimit");
    }
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < value) {
        value = limit.rlim_max; // Already lower: keep that.
    }
    limit.rlim_cur = value;
    limit.rlim_max = value;
    if (::setrlimit(resource, &limit) != 0) {
        return failed("setrlimit");
    }
    return {};
}

/// A namespace with no interface but a loopback that is down. Many systems forbid it to ordinary
/// users (containers, sysctl): then the process goes on without, and the other walls stand.
/// Gives 0 or an errno.
int leave_the_network() {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        return errno;
    }
    // The new user namespace came with every capability over itself. None is needed.
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
    ::syscall(SYS_capset, &header, none.data());
    return 0;
}

} // namespace

Result<void> raise_walls(pid_t broker) {
    static_cast<void>(leave_the_network());
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) !=
        0) { // After what changes credentials: that clears it.
        return failed("PR_SET_PDEATHSIG");
    }
    if (::getppid() != broker) {
        return Error{Errc::unavailable, "the broker is gone already"};
    }
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return failed("PR_SET_NO_NEW_PRIVS");
    }
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return failed("PR_SET_DUMPABLE");
    }
    TRY(set_limit(RLIMIT_CORE, 0));
    TRY(set_limit(RLIMIT_NOFILE, limits::open_files_max));
    return {};
}

int try_to_leave_the_network() {
    const pid_t child = ::fork();
    if (child < 0) {
        return errno;
    }
    if (child == 0) {
        ::_exit(leave_the_network()); // An errno fits an exit status.
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EPERM; // Killed: a filter forbids it.
}

Result<void> limit_memory_growth(std::uint64_t bytes) {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t pages = 0;
    if (!(statm >> pages)) {
        return Error{Errc::internal, "cannot read /proc/self/statm"};
    }
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return set_limit(RLIMIT_AS, pages * page + bytes);
}

Result<pid_t> parse_broker(std::string_view text) {
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
    if (error != std::errc() || end != text.data() + text.size() || pid <= 0) {
        return Error{Errc::usage, "this command is for ipfs-compute itself"};
    }
    return pid;
}

} // namespace ic::executor::channel
