#pragma once
/// Child: a process of ours, from its start to its end.

#include "base/result.h"
#include "base/unique_fd.h"
#include "executor/process/cgroup.h"

#include <sys/types.h>

#include <string>
#include <vector>

namespace ic::executor::process {

/// What to start. The child gets the starting process's id as one more argument, an empty
/// environment but for `environment`, and no descriptors but those of channel/walls.h.
struct ChildOptions {
    std::string path;
    std::vector<std::string> arguments;
    std::vector<std::string> environment;
    int liveness = -1;             ///< Inherited if not -1.
    const Cgroup* group = nullptr; ///< Which takes it in, if any, before `start` returns.
};

/// How a process ended.
struct ChildEnd {
    int signal = 0;         ///< 0 if it exited.
    int status = 0;         ///< Exit status if it exited.
    std::string last_words; ///< From its standard error, one printable line.

    /// "killed by signal 6: memory allocation failed", "exited with status 1".
    std::string describe() const;
};

namespace limits {
/// Ours: how much of a dead process's standard error is looked at.
inline constexpr std::size_t last_words_bytes_max = 1024;
} // namespace limits

/// Killed and reaped when it goes. The kernel kills it as well when the *thread* that started it
/// ends: so only the warden's thread calls `start`.
/// Threads: `kill` from any, at any time; the rest from one.
class Child {
public:
    /// Starts a process with `channel` as its channel_descriptor. Errors: unavailable.
    static Result<Child> start(const ChildOptions& options, UniqueFd channel);

    Child(Child&&) = default;
    Child& operator=(Child&& other) noexcept;
    ~Child();

    /// SIGKILL; does nothing to a process that is gone.
    void kill() const;

    /// Waits for its end, once; nothing of it is alive when this returns.
    ChildEnd wait();

    pid_t id() const { return id_; }

    /// Memory of its own, resident now, in bytes; 0 if that cannot be read.
    std::uint64_t resident_bytes() const;

private:
    Child(pid_t id, UniqueFd handle, UniqueFd words);

    pid_t id_ = -1;
    UniqueFd handle_; // A pidfd: unlike the number it never names another process.
    UniqueFd words_;
};

} // namespace ic::executor::process
