#pragma once
/// CgroupFiles: the files through which the kernel's control groups are seen and moved.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ic::executor::process {

/// Paths are absolute. Numbers given back are an errno, 0 for success.
/// Threads: every member from any. Double: testing/fake_cgroups.h.
class CgroupFiles {
public:
    virtual ~CgroupFiles() = default;

    /// The whole file; nothing where it cannot be read.
    virtual std::optional<std::string> read(const std::string& path) = 0;
    /// In one write, as the kernel wants it, to a file that is there.
    virtual int write(const std::string& path, std::string_view text) = 0;
    /// Makes a group.
    virtual int make(const std::string& path) = 0;
    /// Removes a group: EBUSY while a process or a group is in it.
    virtual int remove(const std::string& path) = 0;
    /// The names of the groups directly in this one.
    virtual std::vector<std::string> groups_in(const std::string& path) = 0;
    /// Whether this process may write there.
    virtual bool may_write(const std::string& path) = 0;
    /// Whether whoever manages the groups of this machine says that this one is for its processes
    /// to divide. A manager that says nothing of the kind: as `may_write`.
    /// Source: systemd, CGROUP_DELEGATION.md: the extended attributes user.delegate and
    /// trusted.delegate are "1" on a group with Delegate=.
    virtual bool is_delegated(const std::string& path) = 0;
};

/// The kernel's.
std::unique_ptr<CgroupFiles> kernel_cgroup_files();

} // namespace ic::executor::process
