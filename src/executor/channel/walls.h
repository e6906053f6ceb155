#pragma once
/// The walls that an executor or compiler process raises around itself before it takes its first
/// message, and how it is tied to its broker.

#include "base/result.h"

#include <sys/types.h>

#include <cstdint>
#include <string_view>

namespace ic::executor::channel {

/// Where the broker puts what a process inherits. Nothing else is open but 0 to 2.
inline constexpr int channel_descriptor = 3;
/// The write end of a pipe that is only held: its end of file proves that all holders are dead.
inline constexpr int liveness_descriptor = 4;

namespace limits {
/// Ours: descriptors of one process: channel, window, artifacts, the engine's own.
inline constexpr std::uint64_t open_files_max = 256;
} // namespace limits

/// Ties this process to its parent (SIGKILL when it dies, also if it died before this call), and
/// gives up what a guest that broke out could use: core dumps, new privileges, being traced, files,
/// and, where the kernel lets a process do so, the network (an empty network namespace of its own).
/// Requires: no second thread yet. `broker` is the parent's process id as the parent gave it.
/// Errors: unavailable (the parent is gone), internal.
Result<void> raise_walls(pid_t broker);

/// Whether the kernel lets a process of ours have a network namespace of its own: 0, or the errno
/// of its refusal. Tries it in a child that ends at once. Requires: no second thread yet.
int try_to_leave_the_network();

/// No more address space than now and `bytes` on top. Errors: internal.
Result<void> limit_memory_growth(std::uint64_t bytes);

/// The argument that a broker passes: its process id. Errors: usage.
Result<pid_t> parse_broker(std::string_view text);

} // namespace ic::executor::channel
