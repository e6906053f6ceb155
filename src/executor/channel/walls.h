#pragma once
/// The walls that an executor or compiler process raises around itself before it takes its first
/// message, and how it is tied to its broker.

#include "base/result.h"
#include "base/unique_fd.h"
#include "executor/channel/wall_set.h"

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
/// gives up what a guest that broke out could use: core dumps, new privileges, being traced,
/// descriptors, and, where the kernel lets a process do so, the network (an empty namespace of its
/// own), files (an empty root of its own, and rules that open none), signals to others, and every
/// capability. What became of the latter is what it gives; `system_calls` is not looked at.
/// Requires: no second thread yet. `broker` is the parent's process id as the parent gave it.
/// Errors: unavailable (the parent is gone), internal.
Result<WallErrors> raise_walls(pid_t broker);

/// What `raise_walls` and the filter of system calls would give, tried in a child that ends at
/// once. Requires: no second thread yet. Errors: unavailable (no process can be started).
Result<WallErrors> try_walls();

/// Ends this process, with words on standard error, unless every wall of `required` stands. At
/// once: the broker kills who closes the channel, and the words would be lost.
void require_walls(const WallErrors& errors, WallSet required);

/// The kernel's count of this process's pages, for `limit_memory_growth`: to be opened before the
/// walls stand, behind which no file can be opened. Errors: internal.
Result<UniqueFd> open_memory_count();

/// No more address space than now and `bytes` on top. Errors: internal.
Result<void> limit_memory_growth(const UniqueFd& memory_count, std::uint64_t bytes);

/// The argument that a broker passes: its process id. Errors: usage.
Result<pid_t> parse_broker(std::string_view text);

} // namespace ic::executor::channel
