#include "blockstore/embedded/sessions.h"

#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <limits>
#include <memory>
#include <optional>

namespace ic::embedded {
namespace {

constexpr Stamp nothing = std::numeric_limits<Stamp>::max();
/// A file that is being made has this in front of its name until it is locked.
constexpr char unfinished = '.';
/// After it nobody is still making it.
constexpr std::time_t unfinished_seconds_max = 60;

/// The stamp that a file says, twice, so that one half-written is not taken for another.
std::optional<Stamp> read_since(int fd) {
    std::array<std::uint8_t, 16> bytes{};
    if (::pread(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        return std::nullopt;
    }
    const Stamp since = from_big_endian(ByteView{bytes}.first(8));
    return since == ~from_big_endian(ByteView{bytes}.last(8)) ? std::optional(since) : std::nullopt;
}

bool is_old(int fd) {
    struct stat status{};
    return ::fstat(fd, &status) == 0 && ::time(nullptr) - status.st_mtime > unfinished_seconds_max;
}

} // namespace

Sessions::~Sessions() {
    if (file_) {
        ::unlink(path_.c_str());
    }
}

Result<void> Sessions::write() {
    Stamp since = nothing;
    for (const Session& session : sessions_) { // A clock that is set back makes later ones smaller.
        since = std::min(since, session.since);
    }
    if (since == said_) {
        return {};
    }
    std::array<std::uint8_t, 16> bytes{};
    std::ranges::copy(big_endian(since), bytes.begin());
    std::ranges::copy(big_endian(~since), bytes.begin() + 8);
    if (::pwrite(file_.get(), bytes.data(), bytes.size(), 0) !=
        static_cast<ssize_t>(bytes.size())) {
        return system_error("cannot write a session in", folder_, errno);
    }
    said_ = since;
    return {};
}

Result<void> Sessions::make_file() {
    TRY(make_folders(folder_, 0700));
    std::array<std::uint8_t, 8> random{};
    if (::getrandom(random.data(), random.size(), 0) < 0) {
        return system_error("cannot name a session in", folder_, errno);
    }
    const std::string name = to_hex(random);
    const std::string making = folder_ + "/" + unfinished + name;
    file_ = UniqueFd(::open(making.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    // A collection that comes by may have it for a moment, to see whether its maker lives.
    while (file_ && ::flock(file_.get(), LOCK_EX) != 0) {
        if (errno != EINTR) {
            return system_error("cannot make a session in", folder_, errno);
        }
    }
    if (!file_) {
        return system_error("cannot make a session in", folder_, errno);
    }
    said_ = 0;
    TRY(write());
    path_ = folder_ + "/" + name;
    if (::rename(making.c_str(), path_.c_str()) != 0) {
        return system_error("cannot make a session in", folder_, errno);
    }
    return {};
}

Result<Sessions::Handle> Sessions::begin(const NextStamp& next_stamp) {
    const std::lock_guard lock(mutex_);
    if (!file_) {
        if (Result<void> made = make_file(); !made) {
            file_.reset();
            return std::move(made).take_error();
        }
    }
    const Stamp since = TRY(next_stamp());
    const Handle session = sessions_.insert(sessions_.end(), {.since = since, .from = 0});
    const auto begin_counting = [&]() -> Result<void> {
        TRY(write());
        // Where the clock was set back meanwhile, `since` is still what others were told.
        session->from = std::max(TRY(next_stamp()), since);
        return {};
    };
    if (Result<void> begun = begin_counting(); !begun) {
        sessions_.erase(session);
        return std::move(begun).take_error();
    }
    return session;
}

void Sessions::end(Handle session) {
    const std::lock_guard lock(mutex_);
    sessions_.erase(session);
    // If it cannot be written, the file keeps more than it must: no harm.
    static_cast<void>(write().ok());
}

std::optional<Stamp> Sessions::safe_from() const {
    const std::lock_guard lock(mutex_);
    std::optional<Stamp> latest;
    for (const Session& session : sessions_) {
        latest = std::max(latest.value_or(0), session.from);
    }
    return latest;
}

Result<Stamp> Sessions::earliest(Stamp otherwise) const {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(folder_.c_str()), &::closedir);
    if (!folder) {
        return errno == ENOENT ? Result<Stamp>(otherwise)
                               : system_error("cannot read folder", folder_, errno);
    }
    Stamp found = otherwise;
    while (const dirent* entry = ::readdir(folder.get())) {
        const std::string path = folder_ + "/" + entry->d_name;
        const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        struct stat status{};
        if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
            continue;
        }
        if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
            if (entry->d_name[0] != unfinished || is_old(file.get())) {
                ::unlink(path.c_str()); // Its process is dead.
            }
            continue;
        }
        if (errno != EWOULDBLOCK) {
            return system_error("cannot look at", path, errno);
        }
        std::optional<Stamp> since = read_since(file.get());
        for (int time = 0; !since && time < 1000; ++time) { // It is being written right now.
            ::usleep(1000);
            since = read_since(file.get());
        }
        found = std::min(found, since.value_or(0));
    }
    return found;
}

} // namespace ic::embedded
