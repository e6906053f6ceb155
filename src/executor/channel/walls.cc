#include "executor/channel/walls.h"

#include "executor/channel/system_calls.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <iostream>
#include <span>
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

// --- namespaces ---------------------------------------------------------------------------------
// Many systems forbid them to ordinary users (containers, sysctl): then the process goes on
// without, and the other walls stand. Each step gives 0 or an errno.

int unshare(int what) { return ::unshare(what) == 0 ? 0 : errno; }

/// An empty directory that nobody can write to becomes the root, and nothing else is mounted.
int show_no_files() {
    // Only a place to hang it on; each is on every system, and what lies there is not touched.
    constexpr std::array places{"/tmp", "/usr", "/proc"};
    if (const int error = unshare(CLONE_NEWNS)) {
        return error;
    }
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        return errno;
    }
    constexpr unsigned long closed = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    const auto* const place = std::ranges::find_if(places, [](const char* each) {
        return ::mount("none", each, "tmpfs", closed, "size=4k,nr_inodes=1,mode=500") == 0;
    });
    if (place == places.end() || ::chdir(*place) != 0) {
        return errno;
    }
    // The old root lands on top of the new one and is let go of. A root that the kernel started
    // with (an initramfs) cannot be moved: then it is out of reach, without CAP_SYS_CHROOT.
    if (::syscall(SYS_pivot_root, ".", ".") == 0) {
        if (::umount2(".", MNT_DETACH) != 0) {
            return errno;
        }
    } else if (::chroot(".") != 0) {
        return errno;
    }
    return ::chdir("/") == 0 ? 0 : errno;
}

// --- rules (Landlock) ---------------------------------------------------------------------------

/// struct landlock_ruleset_attr of Linux 6.12; older kernels take the front of it.
/// Source: Linux 6.12, include/uapi/linux/landlock.h.
struct Ruleset {
    std::uint64_t files = 0;
    std::uint64_t network = 0;
    std::uint64_t scoped = 0;
};

/// What each version of the interface can handle; the ones before it are in.
struct RulesetVersion {
    long version;
    std::size_t bytes; ///< Of Ruleset that it knows.
    Ruleset handled;
};

constexpr std::array<RulesetVersion, 6> ruleset_versions{{
    {1, 8, {.files = (1U << 13U) - 1}},                // Opening, making, removing, running.
    {2, 8, {.files = (1U << 14U) - 1}},                // Linking and renaming across folders.
    {3, 8, {.files = (1U << 15U) - 1}},                // Truncating.
    {4, 16, {.files = (1U << 15U) - 1, .network = 3}}, // Binding and connecting TCP.
    {5, 16, {.files = (1U << 16U) - 1, .network = 3}}, // Requests to devices.
    {6, 24, {.files = (1U << 16U) - 1, .network = 3, .scoped = 3}}, // Abstract sockets, signals.
}};

/// From here on all that the kernel's rules know of is forbidden but for what is open already.
/// Requires: no_new_privs.
int forbid_by_rules() {
#if defined(SYS_landlock_create_ruleset) && defined(SYS_landlock_restrict_self)
    constexpr unsigned ask_for_version = 1;
    const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, ask_for_version);
    if (version < 1) {
        return version < 0 ? errno : ENOSYS;
    }
    const auto known =
        std::min<std::size_t>(static_cast<std::size_t>(version), ruleset_versions.size());
    const RulesetVersion& best = ruleset_versions[known - 1];
    const UniqueFd rules(
        static_cast<int>(::syscall(SYS_landlock_create_ruleset, &best.handled, best.bytes, 0)));
    if (!rules || ::syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0) {
        return errno;
    }
    return 0;
#else
    return ENOSYS;
#endif
}

// --- capabilities -------------------------------------------------------------------------------

using CapabilitySets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

/// Of this process, and what it could get by running something.
int drop_capabilities() {
    for (unsigned long capability = 0;; ++capability) {
        const int held = ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (held < 0) {
            break; // The kernel knows no more.
        }
        if (held == 1) { // Without CAP_SETPCAP they stay: no_new_privs makes them useless.
            ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
        }
    }
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    CapabilitySets sets{};
    if (::syscall(SYS_capset, &header, sets.data()) != 0 ||
        ::syscall(SYS_capget, &header, sets.data()) != 0) {
        return errno;
    }
    const bool none = std::ranges::all_of(
        sets, [](const auto& set) { return (set.effective | set.permitted) == 0; });
    return none ? 0 : EPERM;
}

/// All that may fail without ending the process. Requires: no_new_privs.
WallErrors raise_what_can_be() {
    WallErrors errors;
    // With a user namespace of its own a process may make the others. Who has the right already
    // (root) does not need it.
    const int user = unshare(CLONE_NEWUSER);
    const auto because = [user](int error) { return error == EPERM && user != 0 ? user : error; };
    errors.network = because(unshare(CLONE_NEWNET));
    static_cast<void>(unshare(CLONE_NEWIPC));
    if (is_filtered_build()) {
        errors.view = because(show_no_files());
        errors.landlock = forbid_by_rules();
    } else { // The address sanitizer opens files as the process ends.
        errors.view = ENOTSUP;
        errors.landlock = ENOTSUP;
    }
    errors.capabilities = drop_capabilities();
    return errors;
}

} // namespace

Result<WallErrors> raise_walls(pid_t broker) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return failed("PR_SET_NO_NEW_PRIVS");
    }
    const WallErrors errors = raise_what_can_be();
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) !=
        0) { // After what changes credentials: that clears it.
        return failed("PR_SET_PDEATHSIG");
    }
    if (::getppid() != broker) {
        return Error{Errc::unavailable, "the broker is gone already"};
    }
    if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return failed("PR_SET_DUMPABLE");
    }
    TRY(set_limit(RLIMIT_CORE, 0));
    TRY(set_limit(RLIMIT_NOFILE, limits::open_files_max));
    TRY(set_limit(RLIMIT_MSGQUEUE, 0));
    return errors;
}

Result<WallErrors> try_walls() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return Error{Errc::unavailable, std::string("pipe: ") + std::strerror(errno)};
    }
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    const pid_t child = ::fork();
    if (child < 0) {
        return Error{Errc::unavailable, std::string("fork: ") + std::strerror(errno)};
    }
    if (child == 0) {
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        WallErrors errors = raise_what_can_be();
        errors.system_calls = forbid_what_is_not_needed(ProcessKind::executor);
        const ssize_t written = ::write(writer.get(), &errors, sizeof(errors));
        ::_exit(written == sizeof(errors) ? 0 : 1);
    }
    writer.reset();
    // Where a filter around us kills who asks for a namespace, nothing comes.
    WallErrors errors{.network = EPERM,
                      .view = EPERM,
                      .landlock = EPERM,
                      .capabilities = EPERM,
                      .system_calls = EPERM};
    WallErrors told;
    if (::read(reader.get(), &told, sizeof(told)) == sizeof(told)) {
        errors = told;
    }
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return errors;
}

void require_walls(const WallErrors& errors, WallSet required) {
    if (const Result<void> stand = check_walls(errors, required); !stand) {
        std::cerr << stand.error().message << std::endl;
        ::_exit(1);
    }
}

Result<UniqueFd> open_memory_count() {
    UniqueFd file(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
    if (!file) {
        return failed("cannot open /proc/self/statm");
    }
    return file;
}

Result<void> limit_memory_growth(const UniqueFd& memory_count, std::uint64_t bytes) {
    std::array<char, 128> text{};
    const ssize_t count = ::pread(memory_count.get(), text.data(), text.size(), 0);
    std::uint64_t pages = 0;
    const char* const end = text.data() + std::max<ssize_t>(count, 0);
    if (std::from_chars(text.data(), end, pages).ec != std::errc()) {
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
