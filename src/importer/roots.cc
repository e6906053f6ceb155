#include "base/file.h"
#include "importer/walk.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

namespace ic::importer {
namespace {

struct Free {
    void operator()(char* text) const { std::free(text); }
};

/// `path` without "." and ".." where that needs no look at the disk, and without repeated slashes:
/// as Go's filepath.Clean.
std::string clean(std::string_view path) {
    const bool is_absolute = path.starts_with('/');
    std::vector<std::string_view> parts;
    while (!path.empty()) {
        const std::string_view part = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(path.size(), part.size() + 1));
        if (part == ".." && !parts.empty() && parts.back() != "..") {
            parts.pop_back();
        } else if (!part.empty() && part != "." && !(part == ".." && is_absolute)) {
            parts.push_back(part);
        }
    }
    std::string text = is_absolute ? "/" : "";
    for (const std::string_view part : parts) {
        text += (text.empty() || text == "/" ? "" : "/") + std::string(part);
    }
    return text.empty() ? "." : text;
}

Result<std::string> resolved(const std::string& path) {
    const std::unique_ptr<char, Free> text(::realpath(path.c_str(), nullptr));
    if (!text) {
        return system_error("cannot follow", path, errno);
    }
    return std::string(text.get());
}

Result<std::string> working_folder() {
    const std::unique_ptr<char, Free> text(::getcwd(nullptr, 0));
    if (!text) {
        return system_error("cannot find out about", "the working folder", errno);
    }
    return std::string(text.get());
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

std::string last_name(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos || path.size() == 1 ? path : path.substr(slash + 1);
}

Result<Root> root_of(const WalkRequest& request, const std::string& given) {
    if (given == "-") {
        return Root{.path = "", .name = request.stdin_name};
    }
    if (given.starts_with("http://") || given.starts_with("https://")) {
        return Error{Errc::unsupported,
                     given + " is fetched by nobody here; try 'curl -L " + given +
                         " | ipfs-compute add'"};
    }
    if (given.empty()) {
        return Error{Errc::usage, "an empty text is no path"};
    }
    std::string path = clean(given);
    if (path == ".") {
        path = TRY(working_folder());
    } else if (request.symlinks != Symlinks::kept) {
        path = TRY(resolved(path));
    }
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) {
        return system_error("cannot look at", path, errno);
    }
    if (S_ISDIR(status.st_mode) && request.folders == Folders::refused) {
        return Error{Errc::usage, path + " is a folder; add it with -r"};
    }
    if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode) &&
        !S_ISFIFO(status.st_mode)) {
        return cannot_add(path, status.st_mode);
    }
    std::string name = last_name(path);
    return Root{.path = std::move(path), .name = std::move(name)};
}

} // namespace

Result<std::vector<Root>> roots_of(const WalkRequest& request) {
    std::vector<Root> roots;
    std::map<std::string, std::string> folders; // By name.
    for (const std::string& given : request.paths) {
        Root root = TRY(root_of(request, given));
        if (!root.path.empty()) {
            const std::string folder = folder_of(root.path);
            const auto [known, is_new] = folders.emplace(root.name, folder);
            if (!is_new && known->second != folder) {
                return Error{Errc::usage,
                             "two things are called " + root.name + ", in " + known->second +
                                 " and in " + folder + "; add one after the other"};
            }
            if (!is_new) {
                continue;
            }
        }
        roots.push_back(std::move(root));
    }
    std::ranges::sort(roots, {}, [](const Root& root) { return std::tie(root.name, root.path); });
    return roots;
}

} // namespace ic::importer
