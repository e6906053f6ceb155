#include "executor/channel/testing/attempts.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace ic::executor::channel::testing {
namespace {

long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
    return ::syscall(number, a, b, c, d, e);
}

long address(const void* pointer) { return reinterpret_cast<long>(pointer); }

const std::string passwd = "/etc/passwd";
const std::string self = "/proc/self/exe";
const std::string new_file = "/tmp/ic-broken-out";
std::array<char*, 1> nothing{nullptr};
std::array<char, 256> buffer{};

long open_at(const std::string& path, int flags) {
    return call(SYS_openat, AT_FDCWD, address(path.c_str()), flags, 0600);
}

std::string of_process(pid_t process, const char* name) {
    return "/proc/" + std::to_string(process) + "/" + name;
}

std::vector<Attempt> first_attempts(pid_t victim) {
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

/// By every name a file has, and those of the kernel.
std::vector<Attempt> on_files(pid_t victim) {
    return {
        {"the names in a folder", [] { return open_at("/", O_RDONLY | O_DIRECTORY); }},
        {"a folder to come back to", [] { return open_at("..", O_PATH); }},
        {"its own memory as a file", [] { return open_at("/proc/self/mem", O_RDWR); }},
        {"its own environment", [] { return open_at("/proc/self/environ", O_RDONLY); }},
        {"its own descriptors", [] { return open_at("/proc/self/fd/3", O_RDWR); }},
        {"the broker's memory", [] { return open_at(of_process(::getppid(), "mem"), O_RDWR); }},
        {"the broker's environment",
         [] { return open_at(of_process(::getppid(), "environ"), O_RDONLY); }},
        {"the broker's descriptors",
         [] { return open_at(of_process(::getppid(), "fd/3"), O_RDWR); }},
        {"another's memory", [victim] { return open_at(of_process(victim, "mem"), O_RDWR); }},
        {"the machine's memory", [] { return open_at("/dev/mem", O_RDWR); }},
        {"a terminal", [] { return open_at("/dev/tty", O_RDWR); }},
        {"a setting of the kernel",
         [] { return open_at("/proc/sys/kernel/core_pattern", O_WRONLY); }},
        {"a control group", [] { return open_at("/sys/fs/cgroup/cgroup.procs", O_WRONLY); }},
        {"a file by its handle", [] { return call(SYS_open_by_handle_at, 0, 0, 0); }},
        {"the handle of a file",
         [] { return call(SYS_name_to_handle_at, AT_FDCWD, address(passwd.c_str()), 0, 0, 0); }},
        {"whether a file is there", [] { return call(SYS_access, address(passwd.c_str()), R_OK); }},
        {"where a link leads",
         [] { return call(SYS_readlink, address(self.c_str()), address(&buffer), 200); }},
        {"where it stands", [] { return call(SYS_getcwd, address(&buffer), 200); }},
        {"to stand elsewhere", [] { return call(SYS_chdir, address("/")); }},
        {"a hard link",
         [] { return call(SYS_link, address(passwd.c_str()), address(new_file.c_str())); }},
        {"a symbolic link",
         [] { return call(SYS_symlink, address(passwd.c_str()), address(new_file.c_str())); }},
        {"a device", [] { return call(SYS_mknod, address(new_file.c_str()), 0020666, 0x101); }},
        {"a file's mode", [] { return call(SYS_chmod, address(new_file.c_str()), 0777); }},
        {"a file's owner", [] { return call(SYS_chown, address(new_file.c_str()), 0, 0); }},
        {"a file's length", [] { return call(SYS_truncate, address(new_file.c_str()), 0); }},
        {"an attribute of a file",
         [] {
             return call(
                 SYS_getxattr, address(passwd.c_str()), address("user.x"), address(&buffer), 200);
         }},
        {"to watch files", [] { return call(SYS_inotify_init1, 0); }},
        {"to watch all files", [] { return call(SYS_fanotify_init, 0, 0); }},
    };
}

constexpr long unmount_detached = 2;

std::vector<Attempt> on_mounts_and_sockets() {
    return {
        {"to unmount", [] { return call(SYS_umount2, address("/"), unmount_detached); }},
        {"another root", [] { return call(SYS_pivot_root, address("/"), address("/")); }},
        {"a file system", [] { return call(SYS_fsopen, address("proc"), 0); }},
        {"a tree of mounts", [] { return call(SYS_open_tree, AT_FDCWD, address("/"), 1); }},
        {"to move a mount",
         [] { return call(SYS_move_mount, 0, address(""), AT_FDCWD, address("/"), 4); }},
        {"to swap", [] { return call(SYS_swapon, address(new_file.c_str()), 0); }},
        {"a raw socket", [] { return call(SYS_socket, AF_PACKET, SOCK_RAW, 0); }},
        {"a socket to a virtual machine's host",
         [] { return call(SYS_socket, 40 /* AF_VSOCK */, SOCK_STREAM, 0); }},
        {"a socket of the kernel's cryptography",
         [] { return call(SYS_socket, AF_ALG, SOCK_SEQPACKET, 0); }},
        {"to connect", [] { return call(SYS_connect, 3, address(&buffer), 16); }},
        {"to take a name", [] { return call(SYS_bind, 3, address(&buffer), 16); }},
        {"to listen", [] { return call(SYS_listen, 3, 1); }},
        {"to accept", [] { return call(SYS_accept4, 3, 0, 0, 0); }},
        {"to send to an address",
         [] { return call(SYS_sendto, 3, address(&buffer), 1, 0, address(&buffer)); }},
        {"an option of the channel",
         [] { return call(SYS_setsockopt, 3, SOL_SOCKET, SO_PASSCRED, address(&buffer), 4); }},
    };
}

std::vector<Attempt> on_processes(pid_t victim) {
    return {
        {"signal the broker's group", [] { return call(SYS_kill, 0, SIGTERM); }},
        {"signal whoever owns a descriptor",
         [victim] { return call(SYS_fcntl, 3, F_SETOWN, victim); }},
        {"another signal for its owner", [] { return call(SYS_fcntl, 3, F_SETSIG, SIGKILL); }},
        {"signals from a descriptor", [] { return call(SYS_fcntl, 3, F_SETFL, O_ASYNC); }},
        {"signal through a handle", [] { return call(SYS_pidfd_send_signal, 0, SIGTERM, 0, 0); }},
        {"a descriptor of another process", [] { return call(SYS_pidfd_getfd, 0, 0, 0); }},
        {"be traced", [] { return call(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0); }},
        {"attach", [victim] { return call(SYS_ptrace, PTRACE_ATTACH, victim, 0, 0); }},
        {"compare with another process",
         [victim] { return call(SYS_kcmp, ::getpid(), victim, 0, 0, 0); }},
        {"a group of its own", [] { return call(SYS_setpgid, 0, 0); }},
        {"a session of its own", [] { return call(SYS_setsid); }},
        {"priority", [] { return call(SYS_setpriority, PRIO_PROCESS, 0, -5); }},
        {"another's processors",
         [victim] { return call(SYS_sched_setaffinity, victim, 128, address(&buffer)); }},
        {"its own limits",
         [] { return call(SYS_prlimit64, 0, RLIMIT_NOFILE, address(&buffer), 0); }},
        {"to be dumped", [] { return call(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); }},
        {"to outlive the broker", [] { return call(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0); }},
        {"a program from memory",
         [] {
             const long memory = call(SYS_memfd_create, address("program"), 0);
             const long result = call(SYS_execveat,
                                      memory,
                                      address(""),
                                      address(&nothing),
                                      address(&nothing),
                                      AT_EMPTY_PATH);
             const int error = errno;
             ::close(static_cast<int>(memory));
             errno = error;
             return result;
         }},
    };
}

std::vector<Attempt> on_the_rest() {
    return {
        {"a new key", [] { return call(SYS_add_key, address("user"), address("k"), 0, 0, -3); }},
        {"a key by name",
         [] { return call(SYS_request_key, address("user"), address("k"), 0, 0); }},
        {"a session of keys", [] { return call(SYS_keyctl, 1, 0, 0, 0); }},
        {"a queue of messages", [] { return call(SYS_msgget, 0, 01600); }},
        {"a semaphore", [] { return call(SYS_semget, 0, 1, 01600); }},
        {"a POSIX queue",
         [] { return call(SYS_mq_open, address("q"), O_CREAT | O_RDWR, 0600, 0); }},
        {"another group", [] { return call(SYS_setgid, 0); }},
        {"all groups", [] { return call(SYS_setgroups, 0, 0); }},
        {"another personality", [] { return call(SYS_personality, 0x0040000); }},
        {"another filter", [] { return call(SYS_seccomp, 1, 0, 0); }},
        {"the log of the kernel", [] { return call(SYS_syslog, 3, address(&buffer), 200); }},
        {"the name of the machine", [] { return call(SYS_sethostname, address("x"), 1); }},
        {"to start anew", [] { return call(SYS_reboot, 0, 0, 0, 0); }},
        {"another kernel", [] { return call(SYS_kexec_load, 0, 0, 0, 0); }},
        {"a module by descriptor", [] { return call(SYS_finit_module, 0, 0, 0); }},
        {"accounting", [] { return call(SYS_acct, 0); }},
        {"quotas", [] { return call(SYS_quotactl, 0, 0, 0, 0); }},
        {"a timer", [] { return call(SYS_timer_create, 0, 0, address(&buffer)); }},
        {"to copy between descriptors", [] { return call(SYS_sendfile, 1, 0, 0, 1); }},
        {"to splice", [] { return call(SYS_splice, 0, 0, 1, 0, 1); }},
        {"another number for a descriptor", [] { return call(SYS_dup2, 3, 200); }},
    };
}

} // namespace

std::vector<Attempt> attempts(pid_t victim) {
    std::vector<Attempt> all = first_attempts(victim);
    for (const auto& more :
         {on_files(victim), on_mounts_and_sockets(), on_processes(victim), on_the_rest()}) {
        all.insert(all.end(), more.begin(), more.end());
    }
    return all;
}

std::string outcome_of(const Attempt& attempt) {
    errno = 0;
    const long result = attempt.make();
    if (result == -1 && (errno == EPERM || errno == ENOSYS)) {
        return {};
    }
    return std::to_string(result) + ", " + std::strerror(errno);
}

Victim::Victim() : id_(::fork()) {
    if (id_ == 0) {
        ::pause();
        ::_exit(0);
    }
}

Victim::~Victim() {
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
}

bool Victim::is_well() const { return ::waitpid(id_, nullptr, WNOHANG) == 0; }

} // namespace ic::executor::channel::testing
