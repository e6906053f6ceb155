/// `add` of more than fits into the memory that it may take.

#include "base/unique_fd.h"
#include "cli/program.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using ic::UniqueFd;
using ic::testing_support::Program;

constexpr std::size_t mib = std::size_t{1} << 20U;
constexpr std::size_t bytes = 1024 * mib;
constexpr std::size_t memory_max = 64 * mib;

/// Of the process's memory, what no file stands behind.
std::size_t anonymous_bytes(pid_t process) {
    std::ifstream status("/proc/" + std::to_string(process) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("RssAnon:")) {
            return std::stoul(line.substr(8)) * 1024;
        }
    }
    return 0;
}

/// Writes `bytes` without two equal blocks.
void feed(const UniqueFd& pipe) {
    std::vector<char> block(mib);
    std::mt19937 random(1);
    for (char& letter : block) {
        letter = static_cast<char>(random());
    }
    for (std::size_t number = 0; number < bytes / mib; ++number) {
        std::memcpy(block.data(), &number, sizeof(number));
        for (std::size_t written = 0; written < block.size();) {
            const ssize_t count =
                ::write(pipe.get(), block.data() + written, block.size() - written);
            if (count <= 0) {
                return;
            }
            written += static_cast<std::size_t>(count);
        }
    }
}

TEST(AddBig, TakesLittleMemoryForAFileOfAnySize) {
    const Program program;
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    UniqueFd read_end(ends[0]), write_end(ends[1]);
    const std::string home = program.home();
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(read_end.get(), STDIN_FILENO);
        ::execl(IC_PROGRAM, IC_PROGRAM, "add", "-Q", "--home", home.c_str(), nullptr);
        ::_exit(126);
    }
    ASSERT_GT(child, 0);
    read_end.reset();
    std::jthread feeder([&] {
        feed(write_end);
        write_end.reset();
    });
    std::size_t most = 0;
    int status = -1;
    while (::waitpid(child, &status, WNOHANG) == 0) {
        most = std::max(most, anonymous_bytes(child));
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    EXPECT_GT(most, mib) << "it was looked at";
    EXPECT_LE(most, memory_max);
}

} // namespace
