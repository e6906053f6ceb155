#include "base/unique_fd.h"
#include "net/event_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <thread>
#include <vector>

namespace ic::net {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<EventLoop> open_loop() {
    Result<std::unique_ptr<EventLoop>> loop = EventLoop::open();
    EXPECT_TRUE(loop);
    return std::move(loop).take();
}

TEST(EventLoop, DoesPostedWorkInOrderOnItsOwnThread) {
    const std::unique_ptr<EventLoop> loop = open_loop();
    constexpr int per_thread = 1000;
    std::vector<int> seen[2];
    int left = 2 * per_thread;
    const std::thread::id here = std::this_thread::get_id();
    std::vector<std::thread> threads;
    for (int which = 0; which < 2; ++which) {
        threads.emplace_back([&seen, &left, &loop, which, here] {
            for (int n = 0; n < per_thread; ++n) {
                loop->post([&seen, &left, &loop, which, n, here] {
                    EXPECT_EQ(std::this_thread::get_id(), here);
                    seen[which].push_back(n);
                    if (--left == 0) {
                        loop->stop();
                    }
                });
            }
        });
    }
    loop->run();
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (const std::vector<int>& numbers : seen) {
        ASSERT_EQ(numbers.size(), static_cast<std::size_t>(per_thread));
        EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
    }
}

TEST(EventLoop, StopLeavesTheRestOfTheWorkForTheNextRun) {
    const std::unique_ptr<EventLoop> loop = open_loop();
    std::vector<int> done;
    loop->post([&done, &loop] {
        done.push_back(1);
        loop->stop();
    });
    loop->post([&done] { done.push_back(2); });
    loop->post([&done, &loop] {
        done.push_back(3);
        loop->stop();
    });
    loop->run();
    EXPECT_EQ(done, (std::vector<int>{1}));
    loop->run();
    EXPECT_EQ(done, (std::vector<int>{1, 2, 3}));
}

TEST(EventLoop, StopAskedBeforeRunIsKept) {
    const std::unique_ptr<EventLoop> loop = open_loop();
    loop->post([] { ADD_FAILURE() << "must not run"; });
    loop->stop();
    loop->run();
}

TEST(EventLoop, TimersFireInOrderAndNeverEarly) {
    const std::unique_ptr<EventLoop> loop = open_loop();
    std::vector<int> fired;
    const Instant start = now_since_boot();
    const auto note = [&fired, start](int number, std::chrono::nanoseconds due) {
        return [&fired, start, number, due] {
            EXPECT_GE(now_since_boot() - start, due);
            fired.push_back(number);
        };
    };
    loop->at(start + 20ms, note(2, 20ms));
    loop->at(start + 5ms, note(1, 5ms));
    loop->at(start - 5s, note(0, 0ms));
    const TimerId cancelled = loop->at(start + 10ms, note(9, 10ms));
    loop->at(Instant::never(), note(8, 0ms));
    loop->cancel(cancelled);
    loop->cancel(cancelled);
    loop->at(start + 30ms, [&loop] { loop->stop(); });
    loop->run();
    EXPECT_EQ(fired, (std::vector<int>{0, 1, 2}));
}

TEST(EventLoop, ATimerThatArmsItselfAgainDoesNotStarveTheRest) {
    const std::unique_ptr<EventLoop> loop = open_loop();
    int rounds = 0;
    std::function<void()> again = [&again, &loop, &rounds] {
        ++rounds;
        loop->after(0ns, again);
    };
    loop->after(0ns, again);
    bool posted = false;
    loop->after(5ms, [&loop, &posted] {
        loop->post([&loop, &posted] {
            posted = true;
            loop->stop();
        });
    });
    loop->run();
    EXPECT_TRUE(posted);
    EXPECT_GT(rounds, 1);
}

TEST(EventLoop, WatchesADescriptorUntilTheWatchGoes) {
    const std::unique_ptr<EventLoop> loop = open_loop();
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    const UniqueFd read_end{ends[0]};
    const UniqueFd write_end{ends[1]};
    ASSERT_EQ(::write(write_end.get(), "abc", 3), 3);
    int calls = 0;
    Watch watch;
    Result<Watch> made = loop->watch(read_end.get(), Ready::to_read, [&] {
        char byte = 0;
        EXPECT_EQ(::read(read_end.get(), &byte, 1), 1);
        if (++calls == 2) { // One byte is left: the descriptor is still ready.
            watch.reset();
            loop->after(5ms, [&loop] { loop->stop(); });
        }
    });
    ASSERT_TRUE(made);
    watch = std::move(made).take();
    loop->run();
    EXPECT_EQ(calls, 2);
    char byte = 0;
    EXPECT_EQ(::read(read_end.get(), &byte, 1), 1) << "the descriptor must have stayed open";
}

TEST(EventLoop, TellsWhenADescriptorCanBeWritten) {
    const std::unique_ptr<EventLoop> loop = open_loop();
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    const UniqueFd near{ends[0]};
    const UniqueFd far{ends[1]};
    const std::vector<char> block(4096, 'x');
    while (::write(near.get(), block.data(), block.size()) > 0) {
    }
    bool writable = false;
    Result<Watch> watch = loop->watch(near.get(), Ready::to_write, [&] {
        writable = true;
        loop->stop();
    });
    ASSERT_TRUE(watch);
    loop->run_for(10ms);
    EXPECT_FALSE(writable);
    std::vector<char> sink(1U << 20U);
    while (::read(far.get(), sink.data(), sink.size()) > 0) {
    }
    loop->run_for(5s);
    EXPECT_TRUE(writable);
}

TEST(EventLoop, RefusesToWatchWhatCannotBeWaitedFor) {
    const std::unique_ptr<EventLoop> loop = open_loop();
    Result<Watch> watch = loop->watch(1 << 20, Ready::to_read, [] {});
    ASSERT_FALSE(watch);
    EXPECT_EQ(watch.error().code, Errc::unavailable);
}

TEST(EventLoop, HandsSignalsOver) {
    const std::unique_ptr<EventLoop> loop = open_loop();
    std::vector<int> seen;
    Result<Watch> watch = loop->on_signals({SIGUSR1, SIGUSR2}, [&](int signal) {
        seen.push_back(signal);
        if (seen.size() == 2) {
            loop->stop();
        }
    });
    ASSERT_TRUE(watch);
    ::raise(SIGUSR1);
    ::raise(SIGUSR2);
    loop->run_for(5s);
    EXPECT_EQ(seen, (std::vector<int>{SIGUSR1, SIGUSR2}));
}

TEST(EventLoop, WatchesOneDescriptorForBothAtOnce) {
    const auto opened = EventLoop::open();
    ASSERT_TRUE(opened);
    EventLoop& loop = **opened;
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    const UniqueFd near(ends[0]);
    const UniqueFd far(ends[1]);
    std::array<char, 4096> piece{};
    while (::send(near.get(), piece.data(), piece.size(), 0) > 0) {
    }
    bool readable = false;
    bool writable = false;
    Watch reading;
    Watch writing;
    const auto end_of_both = [&] {
        if (readable && writable) {
            loop.stop();
        }
    };
    auto to_read = loop.watch(near.get(), Ready::to_read, [&] {
        static_cast<void>(::recv(near.get(), piece.data(), piece.size(), 0));
        readable = true;
        end_of_both();
    });
    ASSERT_TRUE(to_read);
    reading = std::move(to_read).take();
    auto to_write = loop.watch(near.get(), Ready::to_write, [&] {
        writable = true;
        writing.reset();
        end_of_both();
    });
    ASSERT_TRUE(to_write) << to_write.error().message;
    writing = std::move(to_write).take();
    loop.after(std::chrono::milliseconds(5), [&] {
        while (::recv(far.get(), piece.data(), piece.size(), 0) > 0) {
        }
        EXPECT_GT(::send(far.get(), piece.data(), 1, 0), 0);
    });
    loop.run_for(std::chrono::seconds(10));
    EXPECT_TRUE(readable);
    EXPECT_TRUE(writable);
}

} // namespace
} // namespace ic::net
