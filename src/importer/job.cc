#include "importer/job.h"

#include "base/file.h"

#include <cerrno>

namespace ic::importer {

Result<void> check_unchanged(const struct stat& before, const UniqueFd& file, const Step& step) {
    struct stat after{};
    if (::fstat(file.get(), &after) != 0) {
        return system_error("cannot look at", step.path, errno);
    }
    const bool is_written = before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
                            before.st_mtim.tv_nsec != after.st_mtim.tv_nsec;
    if (after.st_size < before.st_size || (is_written && after.st_size == before.st_size)) {
        return Error{Errc::unavailable,
                     step.path + " changed while it was read; add it again when nothing writes to "
                                 "it"};
    }
    return {};
}

unixfs::Metadata metadata_in(const struct stat& status) {
    if (status.st_mode == 0) {
        return {};
    }
    return {.mode = status.st_mode & unixfs::limits::mode_max,
            .mtime = unixfs::UnixTime{.seconds = status.st_mtim.tv_sec,
                                      .nanoseconds =
                                          static_cast<std::uint32_t>(status.st_mtim.tv_nsec)}};
}

} // namespace ic::importer
