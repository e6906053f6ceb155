#include "executor/channel/system_calls.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>

namespace ic::executor::channel {
namespace {

struct FilterReleaser {
    void operator()(void* filter) const { ::seccomp_release(filter); }
};

using Filter = std::unique_ptr<void, FilterReleaser>;

/// What both kinds do: messages, memory, threads that are there, clocks, randomness, ending.
constexpr std::array both{
    // Messages, and what is written to them: the channel, standard error, an artifact, a record.
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    // How the C library and Rust ask for the size of a descriptor. Both take paths too, so the size
    // and times of a file whose path is known stay visible; its content does not.
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(lseek),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    // Memory: linear memories, code, copy-on-write images.
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(membarrier),
    SCMP_SYS(memfd_create),
    SCMP_SYS(ftruncate),
    // Threads and signals of this process.
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    // What a thread does first: one that was started just before may not have come to it.
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    // Clocks and randomness.
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(getrandom),
};

/// Of fcntl: what the C library, Rust and the engine do. The rest has the kernel send signals (to
/// the owner of a descriptor that the broker has open too), leases and locks.
constexpr std::array descriptor_commands{
    F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC, F_ADD_SEALS, F_GET_SEALS};

int allow(scmp_filter_ctx filter, std::span<const int> calls) {
    for (const int call : calls) {
        if (const int error = ::seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0); error != 0) {
            return error;
        }
    }
    return 0;
}

/// Allows a call whose second argument is this 32-bit value; the kernel looks at no more of it.
int allow_command(scmp_filter_ctx filter, int call, int command) {
    const scmp_arg_cmp second{.arg = 1,
                              .op = SCMP_CMP_MASKED_EQ,
                              .datum_a = std::numeric_limits<std::uint32_t>::max(),
                              .datum_b = static_cast<scmp_datum_t>(command)};
    return ::seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &second);
}

/// Allows a call whose first argument has this value, under this mask.
int allow_if(scmp_filter_ctx filter, int call, scmp_datum_t mask, scmp_datum_t value) {
    const scmp_arg_cmp first{.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
    return ::seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &first);
}

int build(scmp_filter_ctx filter, ProcessKind kind) {
    int error = allow(filter, both);
    for (const int command : descriptor_commands) {
        error = error != 0 ? error : allow_command(filter, SCMP_SYS(fcntl), command);
    }
    if (error == 0) { // abort() sends its signal so.
        error = allow_if(filter,
                         SCMP_SYS(tgkill),
                         std::numeric_limits<scmp_datum_t>::max(),
                         static_cast<scmp_datum_t>(::getpid()));
    }
    if (error == 0 && kind == ProcessKind::compiler) {
        // Threads, not processes. The arguments of clone3 lie in memory, where no filter can look:
        // the C library takes clone where there is no clone3.
        error = allow_if(filter, SCMP_SYS(clone), CLONE_THREAD, CLONE_THREAD);
    }
    if (error == 0) {
        error = ::seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    }
    return error;
}

} // namespace

int forbid_other_system_calls(ProcessKind kind) {
    const Filter filter(::seccomp_init(SCMP_ACT_ERRNO(EPERM)));
    if (!filter) {
        return ENOMEM;
    }
    // A tree instead of a list: a run makes a dozen calls, and each would walk the list.
    static_cast<void>(::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
    int error = ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
    error = error != 0 ? error : build(filter.get(), kind);
    error = error != 0 ? error : ::seccomp_load(filter.get());
    return -error;
}

int forbid_what_is_not_needed(ProcessKind kind) {
    return is_filtered_build() ? forbid_other_system_calls(kind) : ENOTSUP;
}

bool is_filtered_build() {
#if defined(__SANITIZE_ADDRESS__)
    return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
    return false;
#else
    return true;
#endif
#else
    return true;
#endif
}

} // namespace ic::executor::channel
