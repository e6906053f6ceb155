#include "blockstore/embedded/in_place.h"

#include "base/file.h"
#include "base/unique_fd.h"
#include "ipld/block.h"
#include "multiformats/multihash.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

namespace ic::embedded {
namespace {

std::string where(const FilePlace& place, ByteView key) {
    return "block " + to_hex(key) + " stays in " + place.path + " from byte " +
           std::to_string(place.offset) + " on";
}

Error has_changed(const FilePlace& place, ByteView key) {
    return {Errc::hash_mismatch,
            where(place, key) + ", which has changed since it was added with --nocopy; put the "
                                "old file back, or add it again"};
}

} // namespace

Result<LentBytes> read_in_place(const FilePlace& place, ByteView key) {
    if (place.size > ic::limits::block_bytes_max) {
        return Error{Errc::too_large, where(place, key) + ", and is larger than any block"};
    }
    const UniqueFd file(
        ::open(place.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)); // No waiting.
    if (!file) {
        Error error = system_error("cannot open", place.path, errno);
        error.message += "; " + where(place, key) + ": put the file back, or add it again";
        return error;
    }
    struct stat status{};
    if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return has_changed(place, key);
    }
    Bytes bytes(place.size);
    for (std::size_t filled = 0; filled < bytes.size();) {
        const ssize_t count = ::pread(file.get(),
                                      bytes.data() + filled,
                                      bytes.size() - filled,
                                      static_cast<off_t>(place.offset + filled));
        if (count < 0 && errno != EINTR) {
            return system_error("cannot read", place.path, errno);
        }
        if (count == 0) {
            return has_changed(place, key);
        }
        filled += static_cast<std::size_t>(count < 0 ? 0 : count);
    }
    ByteView rest = key;
    const Result<void> same = verify_digest(TRY(take_multihash(rest)), bytes);
    if (!same) {
        return same.error().code == Errc::hash_mismatch ? has_changed(place, key) : same.error();
    }
    return LentBytes::of(std::move(bytes));
}

} // namespace ic::embedded
