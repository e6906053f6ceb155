#include "transport/local/bus_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

namespace ic::transport {
namespace {

constexpr int backlog = 128; // Connections that wait to be accepted.
constexpr std::string_view socket_suffix = ".sock";
constexpr std::string_view lock_suffix = ".lock";
constexpr std::string_view unpublished_suffix = ".new";

std::string file_name(const job::Instance& instance, std::string_view suffix) {
    return instance.to_string().append(suffix);
}

Error failure(std::string what) {
    return Error{Errc::unavailable, std::move(what) + ": " + std::strerror(errno)};
}

// Through the descriptor the address is short, however long the folder's path is.
sockaddr_un address_of(int folder, const std::string& name) {
    const std::string path = "/proc/self/fd/" + std::to_string(folder) + "/" + name;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    static_assert(sizeof address.sun_path >= 14 + 11 + 1 + 32 + 5 + 1);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

std::vector<std::string> names_in(int folder) {
    std::vector<std::string> names;
    UniqueFd copy{::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!copy) {
        return names;
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> stream{::fdopendir(copy.get()), ::closedir};
    if (!stream) {
        return names;
    }
    static_cast<void>(copy.release()); // The stream closes it from here on.
    while (const dirent* entry = ::readdir(stream.get())) {
        names.emplace_back(entry->d_name);
    }
    return names;
}

std::vector<job::Instance> instances_with(int folder, std::string_view suffix) {
    std::vector<job::Instance> found;
    for (const std::string& name : names_in(folder)) {
        if (!name.ends_with(suffix)) {
            continue;
        }
        const std::string_view stem = std::string_view{name}.substr(0, name.size() - suffix.size());
        if (const std::optional<job::Instance> instance = parse_instance(stem)) {
            found.push_back(*instance);
        }
    }
    return found;
}

void unlink_names(int folder, const job::Instance& instance) {
    for (const std::string_view suffix : {socket_suffix, unpublished_suffix, lock_suffix}) {
        ::unlinkat(folder, file_name(instance, suffix).c_str(), 0);
    }
}

bool is_same_file(int folder, const std::string& name, int fd) {
    struct stat by_name{};
    struct stat by_fd{};
    return ::fstatat(folder, name.c_str(), &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
           ::fstat(fd, &by_fd) == 0 && by_name.st_ino == by_fd.st_ino &&
           by_name.st_dev == by_fd.st_dev;
}

} // namespace

std::optional<job::Instance> parse_instance(std::string_view hex) {
    job::Instance instance;
    if (hex.size() != 2 * instance.bytes.size()) {
        return std::nullopt;
    }
    for (std::size_t index = 0; index < hex.size(); ++index) {
        constexpr std::string_view digits = "0123456789abcdef";
        const std::size_t digit = digits.find(hex[index]);
        if (digit == std::string_view::npos) {
            return std::nullopt;
        }
        std::uint8_t& byte = instance.bytes[index / 2];
        byte = static_cast<std::uint8_t>(static_cast<unsigned>(byte) << 4U |
                                         static_cast<unsigned>(digit));
    }
    return instance;
}

Result<BusDirectory> BusDirectory::open(const std::filesystem::path& folder) {
    std::error_code ignored;
    std::filesystem::create_directories(folder.parent_path(), ignored);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
        return failure("cannot make " + folder.string());
    }
    return open_existing(folder);
}

Result<BusDirectory> BusDirectory::open_existing(const std::filesystem::path& folder) {
    UniqueFd fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!fd) {
        const Errc code = errno == ENOENT ? Errc::not_found : Errc::unavailable;
        return Error{code, "cannot open " + folder.string() + ": " + std::strerror(errno)};
    }
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) {
        return failure("cannot look at " + folder.string());
    }
    if (status.st_uid != ::geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return Error{Errc::refused,
                     folder.string() + " must belong to this user and be writable by nobody else"};
    }
    return BusDirectory{std::move(fd)};
}

Result<UniqueFd> BusDirectory::take_lock(const job::Instance& self) {
    const std::string name = file_name(self, lock_suffix);
    // A sweeper may take the file for one of the dead between its creation and its lock: it then
    // has the lock for as long as it takes to remove a few names, or until the kernel lets it go
    // on.
    constexpr int tries = 10;
    for (int attempt = 0; attempt < tries; ++attempt) {
        if (attempt > 0) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1U << (attempt - 1)));
        }
        UniqueFd lock{
            ::openat(fd_.get(), name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
        if (!lock) {
            return failure("cannot make the lock file " + name);
        }
        if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0 &&
            is_same_file(fd_.get(), name, lock.get())) {
            return lock;
        }
    }
    return Error{Errc::unavailable, "cannot lock " + name + ": somebody else holds it"};
}

Result<UniqueFd> BusDirectory::listen(const job::Instance& self) {
    UniqueFd socket{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) {
        return failure("no socket");
    }
    const sockaddr_un address = address_of(fd_.get(), file_name(self, unpublished_suffix));
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(socket.get(), backlog) != 0) {
        return failure("cannot listen on the bus");
    }
    return socket;
}

Result<void> BusDirectory::publish(const job::Instance& self) {
    // Renamed when it already listens: whoever sees the name can connect.
    if (::renameat(fd_.get(),
                   file_name(self, unpublished_suffix).c_str(),
                   fd_.get(),
                   file_name(self, socket_suffix).c_str()) != 0) {
        return failure("cannot name the socket of the bus");
    }
    return {};
}

void BusDirectory::remove(const job::Instance& self) { unlink_names(fd_.get(), self); }

std::vector<job::Instance> BusDirectory::scan() const {
    return instances_with(fd_.get(), socket_suffix);
}

Result<UniqueFd> BusDirectory::connect(const job::Instance& to) const {
    UniqueFd socket{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) {
        return failure("no socket");
    }
    const sockaddr_un address = address_of(fd_.get(), file_name(to, socket_suffix));
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const Errc code = errno == ENOENT ? Errc::not_found : Errc::unavailable;
        return Error{code,
                     "cannot connect to node " + to.to_string() + ": " + std::strerror(errno)};
    }
    return socket;
}

bool BusDirectory::is_dead(const job::Instance& instance) const {
    const UniqueFd lock{::openat(
        fd_.get(), file_name(instance, lock_suffix).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
    if (!lock) {
        return errno == ENOENT;
    }
    // Shared: the probes of two processes must not take each other for the living.
    return ::flock(lock.get(), LOCK_SH | LOCK_NB) == 0;
}

void BusDirectory::sweep() {
    for (const job::Instance& instance : instances_with(fd_.get(), lock_suffix)) {
        const std::string name = file_name(instance, lock_suffix);
        const UniqueFd lock{::openat(fd_.get(), name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
        // Unlinked under the lock, so that two sweepers or a starting node cannot cross.
        if (lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0 &&
            is_same_file(fd_.get(), name, lock.get())) {
            unlink_names(fd_.get(), instance);
        }
    }
    for (const std::string_view suffix : {socket_suffix, unpublished_suffix}) {
        for (const job::Instance& instance : instances_with(fd_.get(), suffix)) {
            // The lock comes before the socket and goes after it: no lock, no process.
            if (::faccessat(fd_.get(), file_name(instance, lock_suffix).c_str(), F_OK, 0) != 0 &&
                errno == ENOENT) {
                ::unlinkat(fd_.get(), file_name(instance, suffix).c_str(), 0);
            }
        }
    }
}

} // namespace ic::transport
