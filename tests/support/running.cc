#include "support/running.h"

#include <cerrno>

namespace ic::testing_support {
namespace {

constexpr std::chrono::seconds text_time_max{30};
constexpr std::chrono::seconds end_time_max{60};

std::size_t count_of(std::string_view text, std::string_view all) {
    std::size_t count = 0;
    for (std::size_t at = all.find(text); at != std::string_view::npos;
         at = all.find(text, at + text.size())) {
        ++count;
    }
    return count;
}

struct Ends {
    UniqueFd read;
    UniqueFd write;
};

Ends make_pipe() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return {};
    }
    return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

} // namespace

Running::Running(const std::vector<std::string>& arguments, const HowToRun& how) {
    Ends in = make_pipe();
    Ends out = make_pipe();
    Ends err = make_pipe();
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in.read.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    std::vector<std::string> words = arguments;
    std::vector<std::string> variables = how.environment;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        variables.emplace_back(*variable);
    }
    if (::posix_spawn(&pid_,
                      words.front().c_str(),
                      &actions,
                      &attributes,
                      pointers_to(words).data(),
                      pointers_to(variables).data()) != 0) {
        pid_ = -1;
    }
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    const ssize_t written = ::write(in.write.get(), how.input.data(), how.input.size());
    open_ = pid_ > 0 && written == static_cast<ssize_t>(how.input.size());
    out_.fd = std::move(out.read);
    err_.fd = std::move(err.read);
    collector_ = std::thread([this] { collect(); });
}

Running::~Running() {
    if (pid_ > 0) {
        ::kill(-pid_, SIGCONT);
        ::kill(-pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    collector_.join();
}

void Running::collect() {
    const auto take = [this](Stream& stream) {
        std::array<char, 64U << 10U> piece{};
        const ssize_t count = ::read(stream.fd.get(), piece.data(), piece.size());
        const std::lock_guard lock(mutex_);
        if (count > 0) {
            stream.text.append(piece.data(), static_cast<std::size_t>(count));
        } else if (count == 0 || errno != EINTR) {
            stream.fd.reset();
        }
        open_ = static_cast<bool>(out_.fd) || static_cast<bool>(err_.fd);
        changed_.notify_all();
    };
    while (open_) {
        std::array<pollfd, 2> watched{{{out_.fd.get(), POLLIN, 0}, {err_.fd.get(), POLLIN, 0}}};
        ::poll(watched.data(), watched.size(), -1);
        if (watched[0].revents != 0) {
            take(out_);
        }
        if (watched[1].revents != 0) {
            take(err_);
        }
    }
}

bool Running::wait_for(const Stream& stream, std::string_view text, std::size_t times) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(
        lock, text_time_max, [&] { return !open_ || count_of(text, stream.text) >= times; });
    return count_of(text, stream.text) >= times;
}

bool Running::wait_for_out(std::string_view text, std::size_t times) {
    return wait_for(out_, text, times);
}

bool Running::wait_for_err(std::string_view text, std::size_t times) {
    return wait_for(err_, text, times);
}

std::string Running::out() const {
    const std::lock_guard lock(mutex_);
    return out_.text;
}

std::string Running::err() const {
    const std::lock_guard lock(mutex_);
    return err_.text;
}

Finished Running::finish() {
    Finished finished;
    {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, end_time_max, [this] { return !open_; })) {
            signal_group(SIGKILL);
            changed_.wait(lock, [this] { return !open_; });
        }
        finished.out = out_.text;
        finished.err = err_.text;
    }
    int status = 0;
    while (pid_ > 0 && ::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    if (pid_ > 0) {
        finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    pid_ = -1;
    return finished;
}

} // namespace ic::testing_support
