#include "log/line_writer.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <climits>
#include <csignal>
#include <utility>

namespace ic::log {

LineWriter::LineWriter(int descriptor, std::function<std::string(std::uint64_t)> of_dropped)
    : descriptor_(descriptor)
    , of_dropped_(std::move(of_dropped))
    , ending_(::eventfd(0, EFD_CLOEXEC))
    , thread_([this] { work(); }) {}

LineWriter::~LineWriter() {
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
    }
    changed_.notify_one();
    ::eventfd_write(ending_.get(), 1);
    thread_.join();
}

void LineWriter::write(std::string line) {
    assert(line.ends_with('\n'));
    {
        const std::lock_guard lock(mutex_);
        if (waiting_bytes_ + line.size() > limits::waiting_bytes_max) {
            ++dropped_;
            dropped_ever_.fetch_add(1, std::memory_order_relaxed);
            return;
        }
        waiting_bytes_ += line.size();
        waiting_.push_back(std::move(line));
    }
    changed_.notify_one();
}

void LineWriter::work() {
    sigset_t broken_pipe;
    ::sigemptyset(&broken_pipe);
    ::sigaddset(&broken_pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr); // A reader that left ends nothing here.
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return over_ || !waiting_.empty() || dropped_ != 0; });
        if (waiting_.empty() && dropped_ == 0) {
            return;
        }
        const std::deque<std::string> lines = std::exchange(waiting_, {});
        waiting_bytes_ = 0;
        const std::uint64_t dropped = std::exchange(dropped_, 0);
        lock.unlock();
        bool taken = true;
        for (const std::string& line : lines) {
            taken = taken && write_out(line);
        }
        if (dropped != 0) { // They came after `lines`: there was no room behind them.
            taken = taken && write_out(of_dropped_(dropped));
        }
        if (!taken) {
            return;
        }
        lock.lock();
    }
}

bool LineWriter::wait_until_writable() {
    std::array<pollfd, 2> either{pollfd{.fd = descriptor_, .events = POLLOUT, .revents = 0},
                                 pollfd{.fd = ending_.get(), .events = POLLIN, .revents = 0}};
    int ready = 0;
    do {
        ready = ::poll(either.data(), either.size(), -1);
    } while (ready < 0 && errno == EINTR);
    if (either[0].revents != 0) {
        return true; // Also when its reader is gone: the write then fails and says so.
    }
    return ::poll(either.data(), 1, static_cast<int>(limits::last_words_wait_max.count())) > 0;
}

bool LineWriter::write_out(const std::string& text) {
    // No more at once than fits whole wherever poll finds room: pipe(7), PIPE_BUF.
    for (std::size_t done = 0; done < text.size();) {
        if (!wait_until_writable()) {
            return false;
        }
        const std::size_t size = std::min<std::size_t>(text.size() - done, PIPE_BUF);
        const ssize_t count = ::write(descriptor_, text.data() + done, size);
        if (count < 0 && errno != EINTR && errno != EAGAIN) {
            return true; // Closed or full: nobody to tell. The next line may have more luck.
        }
        done += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    return true;
}

} // namespace ic::log
