#pragma once
/// BusDirectory: the folder in which the nodes of a home find one another. Each node has
/// `<instance>.sock`, and `<instance>.lock`, which it holds locked (flock) for as long as it lives:
/// a lock file that can be locked, or is not there, belongs to a dead process.

#include "base/result.h"
#include "base/unique_fd.h"
#include "job/ids.h"

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace ic::transport {

/// Paths may be longer than a socket address can hold: every call goes through the folder's
/// descriptor.
/// Threads: any, one call at a time.
class BusDirectory {
public:
    /// Makes the folder (mode 0700) if it is not there.
    /// Errors: refused (another user's, or others may write to it), unavailable.
    static Result<BusDirectory> open(const std::filesystem::path& folder);

    /// Opens a folder that must be there. Errors: not_found, refused, unavailable.
    static Result<BusDirectory> open_existing(const std::filesystem::path& folder);

    /// Creates and locks this process's lock file. Held while the descriptor is open.
    /// Errors: unavailable.
    Result<UniqueFd> take_lock(const job::Instance& self);

    /// A listening socket that nobody can find yet. Errors: unavailable.
    Result<UniqueFd> listen(const job::Instance& self);

    /// Gives the listening socket its name: from now on others find it. Errors: unavailable.
    Result<void> publish(const job::Instance& self);

    /// Takes the names away. To be called while the lock is still held.
    void remove(const job::Instance& self);

    /// The nodes that can be found, dead ones among them.
    std::vector<job::Instance> scan() const;

    /// A connected socket. Errors: not_found (no such name), unavailable (nobody listens, or too
    /// many wait there).
    Result<UniqueFd> connect(const job::Instance& to) const;

    /// Whether the kernel proves that this process is gone.
    bool is_dead(const job::Instance& instance) const;

    /// Removes the names of dead processes.
    void sweep();

    int fd() const { return fd_.get(); }

private:
    explicit BusDirectory(UniqueFd fd) : fd_(std::move(fd)) {}

    UniqueFd fd_;
};

/// The instance whose 32 lower-case hexadecimal digits these are.
std::optional<job::Instance> parse_instance(std::string_view hex);

} // namespace ic::transport
