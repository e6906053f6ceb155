#include "support/process.h"

#include <cerrno>
#include <filesystem>

namespace ic::testing_support {
namespace {

struct Pipe {
    UniqueFd read_end;
    UniqueFd write_end;
};

std::optional<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return std::nullopt;
    }
    return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

/// Reads what is there; false at the end of the stream.
bool drain(const UniqueFd& from, std::string& into) {
    std::array<char, 64U << 10U> piece{};
    const ssize_t count = ::read(from.get(), piece.data(), piece.size());
    if (count > 0) {
        into.append(piece.data(), static_cast<std::size_t>(count));
    }
    return count > 0 || (count < 0 && errno == EINTR);
}

/// Feeds and reads until both outputs have ended or the time is over.
void talk(Pipe& in, Pipe& out, Pipe& err, const HowToRun& how, Finished& finished) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + how.time_max;
    std::string_view left = how.input;
    while (out.read_end || err.read_end) {
        if (left.empty()) {
            in.write_end.reset();
        }
        std::array<pollfd, 3> watched{{{in.write_end.get(), POLLOUT, 0},
                                       {out.read_end.get(), POLLIN, 0},
                                       {err.read_end.get(), POLLIN, 0}}};
        const auto wait = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
        if (wait <= 0 || ::poll(watched.data(), watched.size(), static_cast<int>(wait)) <= 0) {
            return;
        }
        if (watched[0].revents != 0) {
            const ssize_t count = ::write(in.write_end.get(), left.data(), left.size());
            left.remove_prefix(count < 0 ? left.size() : static_cast<std::size_t>(count));
        }
        if (watched[1].revents != 0 && !drain(out.read_end, finished.out)) {
            out.read_end.reset();
        }
        if (watched[2].revents != 0 && !drain(err.read_end, finished.err)) {
            err.read_end.reset();
        }
    }
}

} // namespace

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Finished run_process(const std::vector<std::string>& arguments, const HowToRun& how) {
    Finished finished;
    std::optional<Pipe> in = make_pipe(), out = make_pipe(), err = make_pipe();
    if (!in || !out || !err) {
        return finished;
    }
    ::fcntl(in->write_end.get(), F_SETFL, O_NONBLOCK);
    ::signal(SIGPIPE, SIG_IGN); // A program that does not read its input must not end the test.
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in->read_end.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out->write_end.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err->write_end.get(), STDERR_FILENO);
    std::vector<std::string> words = arguments;
    std::vector<std::string> variables = how.environment;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        variables.emplace_back(*variable);
    }
    pid_t child = 0;
    const int error = ::posix_spawn(&child,
                                    words.front().c_str(),
                                    &actions,
                                    nullptr,
                                    pointers_to(words).data(),
                                    pointers_to(variables).data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        return finished;
    }
    in->read_end.reset();
    out->write_end.reset();
    err->write_end.reset();
    talk(*in, *out, *err, how, finished);
    if (out->read_end || err->read_end) {
        ::kill(child, SIGKILL);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return finished;
}

} // namespace ic::testing_support
