#include "importer/walk.h"

#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

namespace ic::importer {
namespace {

struct DirectoryCloser {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

/// What a mode says that a thing is, for a person.
std::string_view kind_name(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFSOCK:
        return "a socket";
    case S_IFIFO:
        return "a pipe";
    case S_IFBLK:
    case S_IFCHR:
        return "a device";
    default:
        return "neither a file nor a folder";
    }
}

/// Of a link that should be followed.
Error cannot_look(const std::string& path, int error_number) {
    return system_error("cannot look at", path, error_number);
}

bool is_same_folder(const struct stat& left, const struct stat& right) {
    return left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

} // namespace

Error cannot_add(const std::string& path, mode_t mode) {
    return {Errc::unsupported,
            path + " is " + std::string(kind_name(mode)) +
                " and cannot be added; leave it out with --ignore, or pipe what it gives into "
                "'ipfs-compute add'"};
}

Walk::Walk(const WalkRequest& request, std::vector<Root> roots)
    : request_(request)
    , roots_(std::move(roots)) {}

Result<std::optional<Step>> Walk::next() {
    if (request_.wrap == WalkRequest::Wrap::yes && !wrapper_begun_) {
        wrapper_begun_ = true;
        return std::optional<Step>(Step{.kind = Step::Kind::folder_begins});
    }
    for (;;) {
        if (levels_.empty()) {
            if (next_root_ == roots_.size()) {
                if (wrapper_begun_ && !wrapper_ended_) {
                    wrapper_ended_ = true;
                    return std::optional<Step>(Step{.kind = Step::Kind::folder_ends});
                }
                return std::optional<Step>();
            }
            if (std::optional<Step> step = TRY(step_to_root(roots_[next_root_++]))) {
                return step;
            }
            continue;
        }
        Level& level = levels_.back();
        if (level.next == level.names.size()) {
            Step step = std::move(level.step);
            step.kind = Step::Kind::folder_ends;
            levels_.pop_back();
            return std::optional<Step>(std::move(step));
        }
        std::string& name = level.names[level.next++];
        Step step{.name = name,
                  .shown = level.step.shown + "/" + name,
                  .path = level.step.path + (level.step.path.ends_with('/') ? "" : "/") + name,
                  .folder = level.folder};
        name = {}; // Given away: a folder of many files needs less and less.
        if (std::optional<Step> known = TRY(step_into(std::move(step)))) {
            return known;
        }
    }
}

Result<std::optional<Step>> Walk::step_to_root(const Root& root) {
    Step step{.name = root.name, .shown = root.name, .path = root.path};
    if (root.path.empty()) {
        step.kind = Step::Kind::stream;
        step.path = "standard input";
        return std::optional<Step>(std::move(step));
    }
    return step_into(std::move(step));
}

/// Finds out what a name is. Nothing for a folder that is left out.
Result<std::optional<Step>> Walk::step_into(Step step) {
    const int at = step.folder ? step.folder->get() : AT_FDCWD;
    const std::string& name = step.folder ? step.name : step.path;
    if (::fstatat(at, name.c_str(), &step.status, follows() ? 0 : AT_SYMLINK_NOFOLLOW) != 0) {
        return cannot_look(step.path, errno);
    }
    switch (step.status.st_mode & S_IFMT) {
    case S_IFREG:
        return std::optional<Step>(std::move(step));
    case S_IFDIR:
        return enter(std::move(step));
    case S_IFLNK:
        return std::optional<Step>(TRY(step_of_link(std::move(step))));
    case S_IFIFO:
        if (!step.folder) { // Named by a person, who knows that somebody writes to it.
            step.kind = Step::Kind::stream;
            return std::optional<Step>(std::move(step));
        }
        break;
    default:
        break;
    }
    return cannot_add(step.path, step.status.st_mode);
}

Result<Step> Walk::step_of_link(Step step) const {
    std::array<char, PATH_MAX> target{};
    const int at = step.folder ? step.folder->get() : AT_FDCWD;
    const std::string& name = step.folder ? step.name : step.path;
    const ssize_t count = ::readlinkat(at, name.c_str(), target.data(), target.size());
    if (count < 0) {
        return system_error("cannot read link", step.path, errno);
    }
    step.kind = Step::Kind::symlink;
    step.target.assign(target.data(), static_cast<std::size_t>(count));
    return step;
}

Result<std::optional<Step>> Walk::enter(Step step) {
    if (levels_.size() == limits::folder_depth_max) {
        return Error{Errc::too_large,
                     step.path + ": folders are nested more than " +
                         std::to_string(limits::folder_depth_max) + " deep"};
    }
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follows() ? 0 : O_NOFOLLOW);
    const int at = step.folder ? step.folder->get() : AT_FDCWD;
    const std::string& name = step.folder ? step.name : step.path;
    auto folder = std::make_shared<const UniqueFd>(::openat(at, name.c_str(), flags));
    if (!*folder) {
        return system_error("cannot open folder", step.path, errno);
    }
    if (::fstat(folder->get(), &step.status) != 0) {
        return cannot_look(step.path, errno);
    }
    for (const Level& level : levels_) {
        if (is_same_folder(level.step.status, step.status)) {
            return Error{Errc::unsupported,
                         step.path + " leads back to " + level.step.path +
                             ", which it is in; leave it out with --ignore"};
        }
    }
    std::vector<std::string> names = TRY(names_in(*folder, step.path));
    const bool is_named = !step.folder && request_.wrap == WalkRequest::Wrap::no;
    if (names.empty() && request_.empty_folders == EmptyFolders::skipped && !is_named) {
        return std::optional<Step>();
    }
    step.kind = Step::Kind::folder_begins;
    levels_.push_back(
        {.folder = std::move(folder), .step = step, .names = std::move(names), .next = 0});
    return std::optional<Step>(std::move(step));
}

Result<std::vector<std::string>> Walk::names_in(const UniqueFd& folder,
                                                const std::string& path) const {
    const int copy = ::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, DirectoryCloser> directory(copy < 0 ? nullptr : ::fdopendir(copy));
    if (!directory) {
        return system_error("cannot read folder", path, errno);
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string_view name = entry->d_name;
        const bool is_hidden = name.starts_with('.') && request_.hidden == HiddenNames::skipped;
        if (name != "." && name != ".." && !is_hidden && !request_.ignore.matches(name)) {
            names.emplace_back(name);
        }
        errno = 0;
    }
    if (errno != 0) {
        return system_error("cannot read folder", path, errno);
    }
    std::ranges::sort(names);
    return names;
}

Result<UniqueFd> Walk::open(const Step& step) const {
    const bool is_pipe = step.kind == Step::Kind::stream;
    // Waiting for a pipe's writer is meant; nothing else may make an open wait.
    const int flags =
        O_RDONLY | O_CLOEXEC | O_NOCTTY | (is_pipe ? 0 : O_NONBLOCK) | (follows() ? 0 : O_NOFOLLOW);
    const int at = step.folder ? step.folder->get() : AT_FDCWD;
    const std::string& name = step.folder ? step.name : step.path;
    UniqueFd file(::openat(at, name.c_str(), flags));
    if (!file) {
        return system_error("cannot open", step.path, errno);
    }
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) {
        return cannot_look(step.path, errno);
    }
    if (!S_ISREG(status.st_mode) && !(is_pipe && S_ISFIFO(status.st_mode))) {
        return cannot_add(step.path, status.st_mode);
    }
    return file;
}

} // namespace ic::importer
