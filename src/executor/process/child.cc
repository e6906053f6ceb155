#include "executor/process/child.h"

#include "executor/channel/walls.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

namespace ic::executor::process {
namespace {

Error failed(const char* what, int error_number) {
    return Error{Errc::unavailable, std::string(what) + ": " + std::strerror(error_number)};
}

/// Owner of what posix_spawn is told to do with descriptors.
class FileActions {
public:
    FileActions() { ::posix_spawn_file_actions_init(&actions_); }

    FileActions(const FileActions&) = delete;
    FileActions& operator=(const FileActions&) = delete;

    ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

    posix_spawn_file_actions_t* get() { return &actions_; }

private:
    posix_spawn_file_actions_t actions_{};
};

class SpawnAttributes {
public:
    SpawnAttributes() { ::posix_spawnattr_init(&attributes_); }

    SpawnAttributes(const SpawnAttributes&) = delete;
    SpawnAttributes& operator=(const SpawnAttributes&) = delete;

    ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }

    posix_spawnattr_t* get() { return &attributes_; }

private:
    posix_spawnattr_t attributes_{};
};

/// A copy whose number is none of those that a child gets, so that no dup2 overwrites another.
UniqueFd above_all_targets(int descriptor) {
    return UniqueFd(::fcntl(descriptor, F_DUPFD_CLOEXEC, 16));
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

/// Signals as a new program expects them, whatever the broker blocks or ignores. The process group
/// stays the broker's: what stops the one stops the other. But what a terminal or a service manager
/// sends to the whole group to end it is for the broker alone, which ends its children in order.
void default_signals(SpawnAttributes& attributes) {
    sigset_t brokers;
    sigset_t all;
    ::sigemptyset(&brokers);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
        ::sigaddset(&brokers, signal);
    }
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(attributes.get(), &brokers);
    ::posix_spawnattr_setsigdefault(attributes.get(), &all);
    ::posix_spawnattr_setflags(attributes.get(), POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/// One printable line of what it wrote.
std::string one_line(std::string_view text) {
    std::string line;
    for (const char letter : text) {
        if (letter == '\n') {
            line += "; ";
        } else {
            line.push_back(letter >= ' ' && letter < 127 ? letter : '?');
        }
    }
    return line.ends_with("; ") ? line.substr(0, line.size() - 2) : line;
}

} // namespace

std::string ChildEnd::describe() const {
    std::string text = signal != 0 ? "killed by signal " + std::to_string(signal)
                                   : "exited with status " + std::to_string(status);
    return last_words.empty() ? text : text + ": " + last_words;
}

Child::Child(pid_t id, UniqueFd handle, UniqueFd words)
    : id_(id)
    , handle_(std::move(handle))
    , words_(std::move(words)) {}

Child& Child::operator=(Child&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(handle_, other.handle_);
    std::swap(words_, other.words_);
    return *this;
}

Child::~Child() {
    if (handle_) {
        kill();
        wait();
    }
}

Result<Child> Child::start(const ChildOptions& options, UniqueFd channel) {
    std::array<int, 2> words{-1, -1};
    if (::pipe2(words.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        return failed("pipe", errno);
    }
    UniqueFd words_read(words[0]);
    const UniqueFd words_write(words[1]);

    const UniqueFd from_channel = above_all_targets(channel.get());
    const UniqueFd from_words = above_all_targets(words_write.get());
    const UniqueFd from_liveness =
        options.liveness >= 0 ? above_all_targets(options.liveness) : UniqueFd();
    if (!from_channel || !from_words || (options.liveness >= 0 && !from_liveness)) {
        return failed("dup", errno);
    }

    FileActions actions;
    ::posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(actions.get(), STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(actions.get(), from_words.get(), STDERR_FILENO);
    ::posix_spawn_file_actions_adddup2(
        actions.get(), from_channel.get(), channel::channel_descriptor);
    int first_closed = channel::channel_descriptor + 1;
    if (from_liveness) {
        ::posix_spawn_file_actions_adddup2(
            actions.get(), from_liveness.get(), channel::liveness_descriptor);
        first_closed = channel::liveness_descriptor + 1;
    }
    ::posix_spawn_file_actions_addclosefrom_np(actions.get(), first_closed);
    SpawnAttributes attributes;
    default_signals(attributes);

    std::vector<std::string> arguments = options.arguments;
    arguments.push_back(std::to_string(::getpid()));
    std::vector<std::string> environment = options.environment;
    pid_t id = -1;
    const int error = ::posix_spawn(&id,
                                    options.path.c_str(),
                                    actions.get(),
                                    attributes.get(),
                                    pointers_to(arguments).data(),
                                    pointers_to(environment).data());
    if (error != 0) {
        return failed(("starting " + options.path).c_str(), error);
    }
    // By number: the header of glibc 2.36 lacks what C++ needs to link its wrapper.
    UniqueFd handle(static_cast<int>(::syscall(SYS_pidfd_open, id, 0)));
    if (!handle) { // Out of descriptors: without a handle it cannot be kept.
        const int reason = errno;
        ::kill(id, SIGKILL);
        ::waitpid(id, nullptr, 0);
        return failed("pidfd_open", reason);
    }
    Child child(id, std::move(handle), std::move(words_read));
    if (options.group != nullptr) { // Before it is told anything, so before it does anything.
        if (const int refused = options.group->take_in(id)) {
            return failed("moving a process into its cgroup", refused);
        }
    }
    return child;
}

void Child::kill() const {
    if (handle_) {
        ::syscall(SYS_pidfd_send_signal, handle_.get(), SIGKILL, nullptr, 0);
    }
}

ChildEnd Child::wait() {
    siginfo_t info{};
    int result = -1;
    do {
        result = ::waitid(P_PIDFD, static_cast<id_t>(handle_.get()), &info, WEXITED);
    } while (result != 0 && errno == EINTR);
    ChildEnd end;
    if (result == 0) {
        (info.si_code == CLD_EXITED ? end.status : end.signal) = info.si_status;
    }
    std::array<char, limits::last_words_bytes_max> text{};
    const ssize_t count = ::read(words_.get(), text.data(), text.size());
    if (count > 0) {
        end.last_words = one_line({text.data(), static_cast<std::size_t>(count)});
    }
    handle_.reset();
    words_.reset();
    return end;
}

std::uint64_t Child::resident_bytes() const {
    std::ifstream statm("/proc/" + std::to_string(id_) + "/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    std::uint64_t shared = 0;
    if (!(statm >> size >> resident >> shared) || shared > resident) {
        return 0;
    }
    return (resident - shared) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace ic::executor::process
