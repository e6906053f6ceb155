#pragma once
/// LineWriter: lines to a descriptor that somebody may have stopped reading.

#include "base/unique_fd.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace ic::log {

namespace limits {
/// Ours: text that waits for its reader; a line beyond it is dropped and counted.
inline constexpr std::size_t waiting_bytes_max = std::size_t{1} << 20U;
/// Ours: how long the end of the writer waits for a reader that takes nothing.
inline constexpr std::chrono::milliseconds last_words_wait_max{500};
} // namespace limits

/// Writes each line in the order given, from a thread of its own, so that `write` never waits: an
/// event loop that logged to a pipe nobody reads would stop renewing leases. What does not fit is
/// dropped, and a line says how much as soon as there is room again.
/// Threads: `write` from any.
class LineWriter {
public:
    /// `of_dropped` makes the line that says how many were dropped; called on this one's thread.
    /// Lifetime: `descriptor` stays the caller's and outlives this.
    LineWriter(int descriptor, std::function<std::string(std::uint64_t lines)> of_dropped);

    /// Writes what waits, as long as somebody takes it.
    ~LineWriter();

    LineWriter(const LineWriter&) = delete;
    LineWriter& operator=(const LineWriter&) = delete;

    /// `line` has its end ("\n") already.
    void write(std::string line);

    /// All that there was no room for. Threads: any.
    std::uint64_t lines_dropped() const { return dropped_ever_.load(std::memory_order_relaxed); }

private:
    void work();
    /// False once the end has come and nobody reads.
    bool wait_until_writable();
    bool write_out(const std::string& text);

    const int descriptor_;
    const std::function<std::string(std::uint64_t)> of_dropped_;
    UniqueFd ending_; // An eventfd: readable once the end has come.

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> waiting_;
    std::size_t waiting_bytes_ = 0;
    std::uint64_t dropped_ = 0;
    std::atomic<std::uint64_t> dropped_ever_{0};
    bool over_ = false;
    std::thread thread_; // Last: it uses all of the above.
};

} // namespace ic::log
