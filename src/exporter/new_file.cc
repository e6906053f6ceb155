#include "exporter/new_file.h"

#include "base/bytes.h"
#include "base/file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace ic::exporter {
namespace {

/// A name that nobody guesses, so that nobody can be there before.
Result<std::string> waiting_name() {
    std::array<std::uint8_t, 12> random{};
    if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
        return system_error("cannot read", "randomness", errno);
    }
    return ".ipfs-compute-" + to_hex(random);
}

/// Gives `from` the name `to`. A file replaces files and links by itself; an empty folder has to
/// go first.
Result<void>
take_place(int folder, const std::string& from, const std::string& to, const std::string& path) {
    if (::renameat(folder, from.c_str(), folder, to.c_str()) == 0) {
        return {};
    }
    if (errno != EISDIR && errno != EEXIST && errno != ENOTEMPTY) {
        return system_error("cannot make", path, errno);
    }
    if (::unlinkat(folder, to.c_str(), AT_REMOVEDIR) != 0) {
        if (errno == ENOTEMPTY || errno == EEXIST) {
            return Error{Errc::refused,
                         path + " is a folder with something in it and stays; name another place "
                                "with -o, or move it away"};
        }
        return system_error("cannot replace", path, errno);
    }
    if (::renameat(folder, from.c_str(), folder, to.c_str()) != 0) {
        return system_error("cannot make", path, errno);
    }
    return {};
}

} // namespace

NewFile::NewFile(const UniqueFd& folder, std::string name, std::string path)
    : folder_(folder.get())
    , name_(std::move(name))
    , path_(std::move(path)) {}

NewFile::NewFile(NewFile&& other) noexcept
    : folder_(other.folder_)
    , name_(std::move(other.name_))
    , path_(std::move(other.path_))
    , waiting_name_(std::exchange(other.waiting_name_, {}))
    , fd_(std::move(other.fd_)) {}

NewFile::~NewFile() {
    if (!waiting_name_.empty()) {
        ::unlinkat(folder_, waiting_name_.c_str(), 0);
    }
}

Result<NewFile> NewFile::open(const UniqueFd& folder, std::string name, std::string path) {
    NewFile file(folder, std::move(name), std::move(path));
    const std::string waiting = TRY(waiting_name());
    file.fd_.reset(::openat(
        folder.get(), waiting.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
    if (!file.fd_) {
        return system_error("cannot make", file.path_, errno);
    }
    file.waiting_name_ = waiting;
    return file;
}

Result<void> NewFile::commit() {
    TRY(take_place(folder_, waiting_name_, name_, path_));
    waiting_name_.clear();
    return {};
}

Result<void> make_symlink(const UniqueFd& folder,
                          const std::string& name,
                          const std::string& path,
                          const std::string& target) {
    const std::string waiting = TRY(waiting_name());
    if (::symlinkat(target.c_str(), folder.get(), waiting.c_str()) != 0) {
        return system_error("cannot make", path, errno);
    }
    Result<void> made = take_place(folder.get(), waiting, name, path);
    if (!made) {
        ::unlinkat(folder.get(), waiting.c_str(), 0);
    }
    return made;
}

} // namespace ic::exporter
