#pragma once
/// A process in the background: what it writes is collected while it runs, and can be waited for.

#include "support/process.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace ic::testing_support {

/// In a process group of its own, as a shell starts it: a signal to the group is Ctrl-C.
/// Threads: one besides its own.
class Running {
public:
    /// `how.input` is its standard input, at most a pipe's 64 KiB; `how.time_max` is not used.
    explicit Running(const std::vector<std::string>& arguments, const HowToRun& how = {});
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    /// Kills what is left of its group.
    ~Running();

    /// Until `text` has been written `times` times; false if the stream ends or 30 s pass before.
    bool wait_for_out(std::string_view text, std::size_t times = 1);
    bool wait_for_err(std::string_view text, std::size_t times = 1);

    /// What there is so far.
    std::string out() const;
    std::string err() const;

    void signal(int number) const { ::kill(pid_, number); }

    /// To every process of the group.
    void signal_group(int number) const { ::kill(-pid_, number); }

    pid_t pid() const { return pid_; }

    /// Waits for its end: at most 60 s, then it is killed.
    Finished finish();

private:
    struct Stream {
        UniqueFd fd;
        std::string text;
    };

    void collect();
    bool wait_for(const Stream& stream, std::string_view text, std::size_t times);

    pid_t pid_ = -1;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Stream out_;
    Stream err_;
    bool open_ = true; ///< Some stream has not ended.
    std::thread collector_;
};

} // namespace ic::testing_support
