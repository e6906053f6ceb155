#include "importer/job.h"

#include "base/file.h"

#include <cerrno>
#include <ctime>

namespace ic::importer {
namespace {

std::int64_t wall_clock_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

} // namespace

Result<Seen> look_at(const UniqueFd& file, const Step& step) {
    Seen seen{.status = {}, .at_ns = wall_clock_ns()};
    if (::fstat(file.get(), &seen.status) != 0) {
        return system_error("cannot look at", step.path, errno);
    }
    return seen;
}

Result<void> check_unchanged(const struct stat& before, const UniqueFd& file, const Step& step) {
    const struct stat after = TRY(look_at(file, step)).status;
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
