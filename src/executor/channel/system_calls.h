#pragma once
/// Which system calls an executor or compiler process may still make once it is up.

#include <cstdint>

namespace ic::executor::channel {

/// What the process is. An executor has all its threads when it is up; a compiler may start more.
enum class ProcessKind : std::uint8_t { executor, compiler };

/// From here on the kernel refuses every system call that running (or compiling) does not need,
/// with EPERM, for all threads of this process and for ever (seccomp, an allow-list). What is left
/// works on memory and on descriptors that are open already: nothing can be opened, connected,
/// started, traced or signalled but this process itself. Gives 0, or the errno of a kernel that has
/// no such filter: the other walls stand then. Requires: PR_SET_NO_NEW_PRIVS. Threads: call it when
/// those that will be needed are there.
int forbid_other_system_calls(ProcessKind kind);

/// The same in a build that can be filtered, else ENOTSUP.
int forbid_what_is_not_needed(ProcessKind kind);

/// Whether this build lets its processes be filtered: the address sanitizer's search for leaks at
/// the end of a process starts another one and traces the first.
bool is_filtered_build();

} // namespace ic::executor::channel
