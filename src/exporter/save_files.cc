#include "base/file.h"
#include "base/unique_fd.h"
#include "exporter/new_file.h"
#include "exporter/save.h"
#include "unixfs/directory.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

namespace ic::exporter {
namespace {

/// A name in an open folder; `path` is the whole, for messages.
struct Place {
    const UniqueFd& folder;
    std::string name;
    std::string path;
};

/// Both times of utimensat: reading a file is no change of it.
std::array<timespec, 2> times_of(const unixfs::UnixTime& time) {
    const timespec both{.tv_sec = time.seconds, .tv_nsec = static_cast<long>(time.nanoseconds)};
    return {both, both};
}

/// Of what is open. Time last: it is what a change of the mode leaves alone.
Result<void> restore(int fd, const unixfs::Metadata& metadata, const std::string& path) {
    if (metadata.mode && ::fchmod(fd, *metadata.mode & limits::restored_mode_bits) != 0) {
        return system_error("cannot set the mode of", path, errno);
    }
    if (metadata.mtime && ::futimens(fd, times_of(*metadata.mtime).data()) != 0) {
        return system_error("cannot set the time of", path, errno);
    }
    return {};
}

/// Every name is opened or made relative to an open folder and without following links, so nothing
/// can lead elsewhere; the names themselves have been checked by the reader of directories.
class FileSaver {
public:
    FileSaver(BlockSource& source, const OnBytes& on_bytes)
        : source_(source)
        , on_bytes_(on_bytes) {}

    Result<void> save(const Place& place, const Cid& cid, const unixfs::Stat& stat) {
        switch (stat.type) {
        case unixfs::EntryType::file:
            return save_file(place, cid, stat.metadata);
        case unixfs::EntryType::directory:
            return save_folder(place, cid, stat.metadata);
        case unixfs::EntryType::symlink:
            return save_symlink(place, cid, stat.metadata);
        }
        return {};
    }

    /// What is in the directory `cid`, into a folder that is there.
    Result<void> fill(const UniqueFd& folder,
                      const std::string& path,
                      const Cid& cid,
                      const unixfs::Metadata& metadata) {
        if (depth_ == limits::folders_deep_max) {
            return Error{Errc::too_large, path + ": folders are nested too deeply"};
        }
        ++depth_;
        Result<void> listed =
            unixfs::list(source_, cid, [&](const unixfs::DirectoryEntry& entry) -> Result<void> {
                return save({folder, entry.name, path + "/" + entry.name},
                            entry.cid,
                            TRY(unixfs::stat(source_, entry.cid)));
            });
        --depth_;
        TRY(std::move(listed));
        return restore(folder.get(), metadata, path);
    }

private:
    Result<void> save_file(const Place& place, const Cid& cid, const unixfs::Metadata& metadata) {
        NewFile file = TRY(NewFile::open(place.folder, place.name, place.path));
        FdSink sink(file.fd(), place.path);
        unixfs::FileReader reader = TRY(unixfs::FileReader::open(source_, cid));
        TRY(copy_content(reader, {}, sink, on_bytes_));
        TRY(restore(file.fd(), metadata, place.path));
        return file.commit();
    }

    Result<void> save_folder(const Place& place, const Cid& cid, const unixfs::Metadata& metadata) {
        if (::mkdirat(place.folder.get(), place.name.c_str(), 0777) != 0 && errno != EEXIST) {
            return system_error("cannot make", place.path, errno);
        }
        const UniqueFd folder(::openat(place.folder.get(),
                                       place.name.c_str(),
                                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!folder && (errno == ENOTDIR || errno == ELOOP)) {
            return Error{Errc::refused,
                         place.path + " is there and is no folder; name another place with -o, or "
                                      "move it away"};
        }
        if (!folder) {
            return system_error("cannot open", place.path, errno);
        }
        return fill(folder, place.path, cid, metadata);
    }

    Result<void>
    save_symlink(const Place& place, const Cid& cid, const unixfs::Metadata& metadata) {
        const std::string target = TRY(unixfs::read_link(source_, cid));
        if (target.find('\0') != std::string::npos) {
            return Error{Errc::malformed, place.path + ": a symlink's target has a zero byte"};
        }
        TRY(make_symlink(place.folder, place.name, place.path, target));
        if (metadata.mtime && ::utimensat(place.folder.get(),
                                          place.name.c_str(),
                                          times_of(*metadata.mtime).data(),
                                          AT_SYMLINK_NOFOLLOW) != 0) {
            return system_error("cannot set the time of", place.path, errno);
        }
        return {};
    }

    BlockSource& source_;
    const OnBytes& on_bytes_;
    std::size_t depth_ = 0;
};

/// A slash at the end would have a link followed.
std::string without_slashes(std::string place) {
    while (place.size() > 1 && place.back() == '/') {
        place.pop_back();
    }
    return place;
}

/// The folder above a place, and the last name in it.
struct Split {
    std::string above;
    std::string name;
};

Split split(const std::string& place) {
    const std::size_t slash = place.rfind('/');
    if (slash == std::string::npos) {
        return {".", place};
    }
    return {place.substr(0, slash + 1), place.substr(slash + 1)};
}

Result<UniqueFd> open_folder(const std::string& path, int flags) {
    UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags));
    if (!folder && (errno == ENOTDIR || errno == ELOOP)) {
        return Error{Errc::refused,
                     path + " is there and is no folder; name another place with -o, or move it "
                            "away"};
    }
    if (!folder) {
        return system_error("cannot open folder", path, errno);
    }
    return folder;
}

/// What is there, links not followed; nothing if nothing is.
std::optional<mode_t> kind_of(const std::string& path) {
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0) {
        return std::nullopt;
    }
    return found.st_mode & S_IFMT;
}

/// Whether a path's last part can be made: it is a name.
bool has_name(const Split& split) {
    return !split.name.empty() && split.name != "." && split.name != "..";
}

} // namespace

Result<void> save_files(BlockSource& source,
                        const Saved& saved,
                        const std::string& given,
                        const OnBytes& on_bytes) {
    const unixfs::Stat stat = TRY(unixfs::stat(source, saved.cid));
    const std::string place = without_slashes(given);
    const std::optional<mode_t> there = kind_of(place);
    FileSaver saver(source, on_bytes);
    if (stat.type == unixfs::EntryType::directory) {
        if (!there) {
            TRY(make_folders(place, 0777));
        }
        const UniqueFd folder = TRY(open_folder(place, O_NOFOLLOW));
        return saver.fill(folder, place, saved.cid, stat.metadata);
    }
    const Split target = there == S_IFDIR ? Split{place + "/", saved.name} : split(place);
    if (!has_name(target)) {
        return Error{Errc::usage, "'" + place + "' is no name for a file; name one with -o"};
    }
    const UniqueFd folder = TRY(open_folder(target.above, 0));
    const std::string path = (target.above == "." ? "" : target.above) + target.name;
    return saver.save({folder, target.name, path}, saved.cid, stat);
}

} // namespace ic::exporter
