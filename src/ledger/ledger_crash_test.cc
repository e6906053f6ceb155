/// The ledger among processes that are killed, and among many.

#include "base/unique_fd.h"
#include "ledger/testing/home.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

namespace ic::ledger {
namespace {

using testing::accepted;
using testing::granted;
using testing::Home;
using testing::instance;
using testing::write;

struct Pipe {
    UniqueFd read_end;
    UniqueFd write_end;
};

Pipe make_pipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    return {UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

// Writes batches until it is killed; each number goes into the pipe once its batch is acknowledged.
[[noreturn]] void write_until_killed(const Home& home, std::uint32_t first, int acknowledged) {
    const auto writer = home.open_writer();
    for (std::uint32_t n = first;; ++n) {
        const JobAccepted job = accepted(n, instance(7));
        writer->submit({job, granted(job, {1, n}, instance(8))},
                       [n, acknowledged](const Result<void>& done) {
                           if (done && ::write(acknowledged, &n, sizeof n) != sizeof n) {
                               ::_exit(1);
                           }
                       });
        std::this_thread::sleep_for(std::chrono::microseconds{100});
    }
}

TEST(LedgerCrash, NothingAcknowledgedIsLostAndNoBatchIsHalfWritten) {
    const Home home;
    {
        const auto writer = home.open_writer();
    }
    constexpr std::uint32_t rounds = 5;
    std::vector<std::uint32_t> acknowledged;
    for (std::uint32_t round = 0; round < rounds; ++round) {
        Pipe pipe = make_pipe();
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            write_until_killed(home, round * 1'000'000, pipe.write_end.get());
        }
        pipe.write_end.reset();
        std::uint32_t n = 0;
        // Killed after some acknowledgements, so in the middle of others.
        for (std::uint32_t count = 0; count < 5 + 7 * round; ++count) {
            ASSERT_EQ(::read(pipe.read_end.get(), &n, sizeof n), ssize_t{sizeof n});
            acknowledged.push_back(n);
        }
        ::kill(child, SIGKILL);
        while (::read(pipe.read_end.get(), &n, sizeof n) == ssize_t{sizeof n}) {
            acknowledged.push_back(n);
        }
        ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    }
    const auto writer = home.open_writer();
    LedgerReader reader = home.open_reader();
    for (const std::uint32_t n : acknowledged) {
        const Result<JobDetail> job = reader.describe(accepted(n, instance(7)).ids.job);
        ASSERT_TRUE(job) << n << ": " << job.error().message;
        EXPECT_EQ(job->grants.size(), 1U);
    }
    JobFilter filter;
    filter.limit = limits::list_page_max;
    const Result<std::vector<JobRow>> rows = reader.list(filter);
    ASSERT_TRUE(rows);
    EXPECT_GE(rows->size(), std::min(acknowledged.size(), filter.limit));
    for (const JobRow& row : *rows) {
        EXPECT_EQ(row.attempts, 1U) << "accepted and granted were one batch";
    }
}

TEST(LedgerCrash, ManyProcessesWriteAndReadAtOnce) {
    const Home home;
    constexpr std::uint32_t processes = 4;
    constexpr std::uint32_t batches = 25;
    std::vector<pid_t> children;
    for (std::uint32_t which = 0; which < processes; ++which) {
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            // All of them make the file, or find it being made.
            const auto writer = home.open_writer();
            bool ok = writer->take_incarnation(instance(1)).ok();
            for (std::uint32_t n = 0; n < batches; ++n) {
                const JobAccepted job = accepted(which * 1000 + n, instance(7));
                ok = ok && write(*writer, {job}).ok();
                ok = ok && home.open_reader().describe(job.ids.job).ok();
            }
            ::_exit(ok ? 0 : 1);
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = -1;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
    }
    JobFilter filter;
    filter.limit = limits::list_page_max;
    EXPECT_EQ(home.open_reader().list(filter)->size(), std::size_t{processes * batches});
    const auto writer = home.open_writer();
    EXPECT_EQ(*writer->take_incarnation(instance(1)), std::uint64_t{processes + 1});
}

// The change to a write-ahead log is what SQLite refuses at once, without its busy handler, when
// two processes are at it: about every third round met it on two cores.
TEST(LedgerCrash, ManyProcessesMakeTheFileAtOnce) {
    constexpr int rounds = 30;
    constexpr int processes = 6;
    for (int round = 0; round < rounds; ++round) {
        const Home home;
        Pipe start = make_pipe();
        std::vector<pid_t> children;
        for (int which = 0; which < processes; ++which) {
            const pid_t child = ::fork();
            ASSERT_GE(child, 0);
            if (child == 0) {
                start.write_end.reset();
                char none = 0;
                const ssize_t got = ::read(start.read_end.get(), &none, 1);
                const bool made =
                    home.open_writer()->take_incarnation(instance(1)).ok(); // Ends if it cannot.
                ::_exit(got == 0 && made ? 0 : 1);
            }
            children.push_back(child);
        }
        start.write_end.reset(); // All of them go.
        for (const pid_t child : children) {
            int status = -1;
            ASSERT_EQ(::waitpid(child, &status, 0), child);
            EXPECT_EQ(status, 0) << "round " << round;
        }
    }
}

} // namespace
} // namespace ic::ledger
