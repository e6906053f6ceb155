#include "base/file.h"

#include "base/unique_fd.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace ic {
namespace {

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) {
        return ".";
    }
    return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> write_all(int fd, ByteView content, const std::string& path) {
    while (!content.empty()) {
        const ssize_t count = ::write(fd, content.data(), content.size());
        if (count < 0) {
            if (errno == EINTR) {
                continue;
            }
            return system_error("cannot write", path, errno);
        }
        content = content.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

/// Makes a rename or a link in this folder survive a power cut.
Result<void> sync_folder(const std::string& path) {
    const UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fsync(folder.get()) != 0) {
        return system_error("cannot sync folder", path, errno);
    }
    return {};
}

} // namespace

Error system_error(std::string_view what, const std::string& path, int error_number) {
    Errc code = Errc::unavailable;
    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        code = Errc::storage_full;
        break;
    case ENOENT:
        code = Errc::not_found;
        break;
    case EACCES:
    case EPERM:
    case EROFS:
        code = Errc::refused;
        break;
    default:
        break;
    }
    std::string message(what);
    message.append(" ").append(path).append(": ").append(std::strerror(error_number));
    return {code, std::move(message)};
}

Result<std::optional<Bytes>> read_file_if_exists(const std::string& path, std::size_t bytes_max) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        if (errno == ENOENT) {
            return std::optional<Bytes>{};
        }
        return system_error("cannot open", path, errno);
    }
    Bytes content;
    for (;;) {
        constexpr std::size_t step_bytes = 64U << 10U;
        const std::size_t old_size = content.size();
        content.resize(old_size + step_bytes);
        const ssize_t count = ::read(file.get(), content.data() + old_size, step_bytes);
        if (count < 0 && errno == EINTR) {
            content.resize(old_size);
            continue;
        }
        if (count < 0) {
            return system_error("cannot read", path, errno);
        }
        content.resize(old_size + static_cast<std::size_t>(count));
        if (content.size() > bytes_max) {
            return Error{Errc::too_large,
                         path + " has more than " + std::to_string(bytes_max) + " bytes"};
        }
        if (count == 0) {
            return std::optional<Bytes>{std::move(content)};
        }
    }
}

Result<void>
write_file(const std::string& path, ByteView content, mode_t mode, IfExists if_exists) {
    std::string draft = path + ".XXXXXX";
    const UniqueFd file(::mkostemp(draft.data(), O_CLOEXEC)); // Mode 0600 until fchmod.
    if (!file) {
        return system_error("cannot write", path, errno);
    }
    Result<void> done = [&]() -> Result<void> {
        TRY(write_all(file.get(), content, draft));
        if (::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0) {
            return system_error("cannot write", draft, errno);
        }
        if (if_exists == IfExists::replace) {
            if (::rename(draft.c_str(), path.c_str()) != 0) {
                return system_error("cannot write", path, errno);
            }
        } else if (::link(draft.c_str(), path.c_str()) != 0) {
            if (errno == EEXIST) {
                return Error{Errc::refused, path + " exists already"};
            }
            return system_error("cannot write", path, errno);
        }
        return sync_folder(folder_of(path));
    }();
    if (!done || if_exists == IfExists::fail) {
        ::unlink(draft.c_str());
    }
    return done;
}

Result<void> make_folders(const std::string& path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) == 0) {
        return {};
    }
    int why = errno;
    if (why == ENOENT && folder_of(path) != path) {
        TRY(make_folders(folder_of(path), mode));
        if (::mkdir(path.c_str(), mode) == 0) {
            return {};
        }
        why = errno; // Some file systems, /proc for one, say ENOENT for what nobody can make.
    }
    struct stat status{};
    if (why == EEXIST && ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
        return {};
    }
    return system_error("cannot make folder", path, why);
}

} // namespace ic
