#include "car_store/output.h"

#include "base/file.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace ic::car_store {

FileOutput::FileOutput(int fd, OutputOptions options) : fd_(fd), options_(std::move(options)) {
    // A pipe of 64 KiB would wake its reader 16 times a MiB. What is no pipe says no.
    static_cast<void>(::fcntl(fd_, F_SETPIPE_SZ, static_cast<int>(limits::unwritten_bytes_max)));
}

Result<void> FileOutput::write(Bytes head, LentBytes data) {
    const std::uint64_t bytes = head.size() + data.size();
    TRY(add(LentBytes::of(std::move(head))));
    TRY(add(std::move(data)));
    if (options_.progress) {
        options_.progress(bytes);
    }
    return {};
}

Result<void> FileOutput::add(LentBytes part) {
    ByteView bytes = part.view();
    if (offset_ < options_.there_bytes) {
        const auto skipped = static_cast<std::size_t>(
            std::min<std::uint64_t>(bytes.size(), options_.there_bytes - offset_));
        TRY(compare(bytes.first(skipped)));
        offset_ += skipped;
        bytes = bytes.subspan(skipped);
    }
    if (bytes.empty()) {
        return {};
    }
    offset_ += bytes.size();
    unwritten_bytes_ += bytes.size();
    unwritten_.push_back(part.part(bytes));
    const bool is_full = unwritten_bytes_ >= limits::unwritten_bytes_max ||
                         unwritten_.size() >= limits::unwritten_parts_max;
    return is_full ? flush() : Result<void>{};
}

/// Whether `part`, which comes at `offset_`, is what is there.
Result<void> FileOutput::compare(ByteView part) const {
    if (options_.there_fd < 0) {
        return {};
    }
    std::array<std::uint8_t, std::size_t{64} << 10U> buffer;
    for (std::uint64_t at = offset_; !part.empty();) {
        const ssize_t count = ::pread(options_.there_fd,
                                      buffer.data(),
                                      std::min(buffer.size(), part.size()),
                                      static_cast<off_t>(at));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return system_error("cannot read", options_.name, errno);
        }
        const auto size = static_cast<std::size_t>(count);
        if (size == 0 || !std::ranges::equal(ByteView{buffer}.first(size), part.first(size))) {
            return Error{Errc::refused,
                         options_.name +
                             " is not the beginning of this export: it differs after byte " +
                             std::to_string(at) + "; remove it or name another file"};
        }
        part = part.subspan(size);
        at += size;
    }
    return {};
}

Result<void> FileOutput::flush() {
    std::vector<iovec> parts;
    parts.reserve(unwritten_.size());
    for (const LentBytes& part : unwritten_) {
        // writev does not write to what it is given; its type is older than const.
        parts.push_back({const_cast<std::uint8_t*>(part.view().data()), part.size()});
    }
    for (std::size_t first = 0; first < parts.size();) {
        const ssize_t written =
            ::writev(fd_, parts.data() + first, static_cast<int>(parts.size() - first));
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return system_error("cannot write to", options_.name, errno);
        }
        auto left = static_cast<std::size_t>(written);
        while (first < parts.size() && left >= parts[first].iov_len) {
            left -= parts[first++].iov_len;
        }
        if (left > 0) {
            parts[first].iov_base = static_cast<std::uint8_t*>(parts[first].iov_base) + left;
            parts[first].iov_len -= left;
        }
    }
    unwritten_.clear();
    unwritten_bytes_ = 0;
    return {};
}

Result<void> FileOutput::finish() {
    TRY(flush());
    if (offset_ < options_.there_bytes) {
        return Error{Errc::refused,
                     options_.name + " has more bytes than this export, which ends after " +
                         std::to_string(offset_)};
    }
    return {};
}

} // namespace ic::car_store
