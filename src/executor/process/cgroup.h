#pragma once
/// Cgroup: what executors and compilers may use of the machine together, where the kernel's control
/// groups (version 2) are this process's to divide.
///
/// The group that a broker is started in, G, becomes
///
///     G                                no process: its processes are in leaves
///     ├─ ipfs-compute-broker-PID       the broker, which it moves itself into
///     └─ ipfs-compute-executors-PID    executors and compilers, limited
///
/// because the kernel lets a group limit others in it only when no process is in it itself. So the
/// broker has to be the only process of G: others are never moved. When the broker ends it goes
/// back and G is as it was. A broker that is killed leaves both groups; they hold no process, and
/// the next broker in G removes them.
///
/// Source: Linux, Documentation/admin-guide/cgroup-v2.rst: "No Internal Process Constraint" and
/// "Delegation Containment" (a process is moved by who may write cgroup.procs of the target and of
/// the common ancestor, here G), "Memory Interface Files", "PID Interface Files".

#include "base/result.h"
#include "executor/process/cgroup_files.h"

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace ic::executor::process {

namespace limits {
/// Ours: of the memory that the broker's group has, or else the machine: for executors and
/// compilers together, without swap. Beyond it the kernel kills the largest of them.
inline constexpr std::uint64_t group_memory_percent = 75;
/// Ours: processes and threads for each slot, on top of one a core for its compiler.
inline constexpr std::uint64_t group_tasks_per_slot = 32;
} // namespace limits

/// What this process's group allows.
struct GroupLook {
    /// 0: limits can be set. ENODEV: there is no hierarchy of version 2. EOPNOTSUPP: the
    /// controllers `memory` and `pids` are not available in it. EACCES: it is not delegated to this
    /// process. EBUSY: other processes are in it.
    int error = 0;
    std::string folder; ///< The group's, where there is one.
};

/// Changes nothing. `self` is this process's id.
GroupLook look_at_group(CgroupFiles& files, pid_t self);

/// The folder of a process's group: `groups` is its /proc/PID/cgroup, `mounts` its
/// /proc/PID/mountinfo. Empty where no mounted hierarchy of version 2 shows it.
/// Source: proc(5), cgroups(7).
std::string folder_of_group(std::string_view groups, std::string_view mounts);

struct CgroupOptions {
    pid_t broker = -1;
    std::uint32_t slots = 1;
    std::uint32_t cores = 1;
    std::uint64_t machine_memory_bytes = 0;
};

/// The limited group, and the broker's own. Goes after every process in it has ended.
/// Threads: `take_in` and `has_killed` from any.
class Cgroup {
public:
    /// Makes the groups, moves this process and sets the limits; leaves nothing behind where that
    /// fails. Lifetime: `files` outlives it. Errors: refused (as look_at_group; the kernel did not
    /// let it).
    static Result<std::unique_ptr<Cgroup>> open(CgroupFiles& files, const CgroupOptions& options);

    Cgroup(const Cgroup&) = delete;
    Cgroup& operator=(const Cgroup&) = delete;
    ~Cgroup();

    /// Moves a process, with all its threads, into the limited group. Gives an errno or 0.
    int take_in(pid_t process) const;

    /// Whether the kernel has killed a process in it for want of memory since this was asked last.
    bool has_killed() const;

    /// The limited group's.
    const std::string& folder() const { return executors_; }

private:
    Cgroup(CgroupFiles& files, std::string folder, pid_t broker);
    Result<void> make_groups();
    Result<void> set_limits(const CgroupOptions& options);
    void clear_the_dead_away();

    CgroupFiles& files_;
    const std::string folder_; // G.
    const std::string broker_;
    const std::string executors_;
    const std::string broker_id_;
    bool moved_ = false;
    bool controls_ = false;
    mutable std::atomic<std::uint64_t> kills_{0}; ///< That `has_killed` has told.
};

} // namespace ic::executor::process
