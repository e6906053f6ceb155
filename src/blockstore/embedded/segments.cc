#include "blockstore/embedded/segments.h"

#include "base/file.h"
#include "ipld/block.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

namespace ic::embedded {
namespace {

constexpr std::string_view suffix = ".segment";

/// Both pieces one after the other; 0 or errno.
int write_at(int fd, ByteView head, ByteView data, std::uint64_t offset) {
    while (!head.empty() || !data.empty()) {
        const std::array<iovec, 2> pieces{{
            {const_cast<std::uint8_t*>(head.data()), head.size()}, // Only read from.
            {const_cast<std::uint8_t*>(data.data()), data.size()},
        }};
        const ssize_t count = ::pwritev(fd, pieces.data(), 2, static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return count < 0 ? errno : ENOSPC;
        }
        const auto written = static_cast<std::size_t>(count);
        const std::size_t of_head = std::min(written, head.size());
        head = head.subspan(of_head);
        data = data.subspan(written - of_head);
        offset += written;
    }
    return 0;
}

/// As many bytes as there are, up to `bytes`; -1 with errno.
ssize_t read_at(int fd, std::uint8_t* into, std::size_t bytes, std::uint64_t offset) {
    std::size_t filled = 0;
    while (filled < bytes) {
        const ssize_t count =
            ::pread(fd, into + filled, bytes - filled, static_cast<off_t>(offset + filled));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return count < 0 ? -1 : static_cast<ssize_t>(filled);
        }
        filled += static_cast<std::size_t>(count);
    }
    return static_cast<ssize_t>(filled);
}

} // namespace

std::string SegmentFiles::path_of(std::uint64_t number) const {
    return folder_ + "/" + to_hex(big_endian(number)) + std::string(suffix);
}

Result<std::optional<Appended>> SegmentFiles::append(ByteView key, ByteView data) {
    const auto head = encode_record_head(key, static_cast<std::uint32_t>(data.size()));
    const std::uint64_t bytes = record_bytes(data.size());
    std::shared_ptr<Segment> segment;
    std::uint64_t offset = 0;
    {
        const std::lock_guard lock(mutex_);
        if (!current_ || current_->has_failed ||
            (current_->end != 0 && current_->end + bytes > bytes_max_)) {
            current_.reset();
            return std::optional<Appended>{};
        }
        segment = current_;
        offset = segment->end;
        segment->end += bytes;
    }
    if (const int error = write_at(segment->fd.get(), head, data, offset); error != 0) {
        const std::lock_guard lock(mutex_);
        if (segment->end == offset + bytes) { // Else a gap stays, which nothing points to.
            segment->end = offset;
        }
        Error failure = system_error("cannot write", segment->path, error);
        if (failure.code == Errc::storage_full) {
            failure.message += "; free some space on that disk, or run 'ipfs-compute repo gc'";
        }
        return failure;
    }
    segment->is_dirty = true; // After the bytes are there: a sync that begins now has them.
    ask_for_writeback(*segment, offset + bytes);
    return std::optional<Appended>{
        Appended{.place = {segment->number, offset, static_cast<std::uint32_t>(data.size())},
                 .segment = std::move(segment)}};
}

void SegmentFiles::ask_for_writeback(Segment& segment, std::uint64_t end) {
    std::uint64_t from = 0, release_from = 0, release_to = 0;
    {
        const std::lock_guard lock(mutex_);
        if (end < segment.asked + limits::writeback_bytes) {
            return;
        }
        from = std::exchange(segment.asked, end);
        if (from >= segment.released + limits::writeback_bytes) { // What was asked for before that.
            release_to = from - limits::writeback_bytes;
            release_from = std::exchange(segment.released, std::max(segment.released, release_to));
        }
    }
    // A hint: whether it is taken shows in nothing but the time that `sync` takes.
    ::sync_file_range(segment.fd.get(),
                      static_cast<off_t>(from),
                      static_cast<off_t>(end - from),
                      SYNC_FILE_RANGE_WRITE);
    if (release_from < release_to) {
        release_written(segment, release_from, release_to);
    }
}

/// Waits until the range is written and takes it out of the page cache. Else a large add would fill
/// that with what nobody asked for, page by page from memory that the kernel has to find first:
/// five times the processor time of writing through few pages again and again.
void SegmentFiles::release_written(Segment& segment, std::uint64_t from, std::uint64_t to) {
    const auto begin = static_cast<off_t>(from);
    const auto bytes = static_cast<off_t>(to - from);
    if (::sync_file_range(segment.fd.get(),
                          begin,
                          bytes,
                          SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                              SYNC_FILE_RANGE_WAIT_AFTER) != 0 &&
        errno != ENOSYS && errno != EINVAL && errno != ESPIPE) {
        segment.has_failed = true; // A failed write is told once: no later sync would hear of it.
    }
    ::posix_fadvise(segment.fd.get(), begin, bytes, POSIX_FADV_DONTNEED);
}

Result<void> SegmentFiles::open_new() {
    TRY(make_folders(folder_, 0700));
    for (;;) { // A number that was never used: no reader finds another record at an old place.
        auto segment = std::make_shared<Segment>();
        if (::getrandom(&segment->number, sizeof segment->number, 0) < 0) {
            return system_error("cannot name a segment in", folder_, errno);
        }
        segment->path = path_of(segment->number);
        segment->fd =
            UniqueFd(::open(segment->path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!segment->fd && errno != EEXIST) {
            return system_error("cannot make", segment->path, errno);
        }
        struct stat opened{};
        if (!segment->fd || ::flock(segment->fd.get(), LOCK_EX | LOCK_NB) != 0 ||
            ::fstat(segment->fd.get(), &opened) != 0 || opened.st_nlink == 0) {
            continue; // A collection took it for one that a crash left.
        }
        segment->is_new = true;
        const std::lock_guard lock(mutex_);
        current_ = std::move(segment);
        return {};
    }
}

std::shared_ptr<Segment> SegmentFiles::lock(std::uint64_t number) {
    auto segment = std::make_shared<Segment>();
    segment->number = number;
    segment->path = path_of(number);
    segment->fd = UniqueFd(::open(segment->path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    struct stat named{}, opened{};
    if (!segment->fd || ::flock(segment->fd.get(), LOCK_EX | LOCK_NB) != 0 ||
        ::stat(segment->path.c_str(), &named) != 0 || ::fstat(segment->fd.get(), &opened) != 0 ||
        named.st_ino != opened.st_ino) { // Removed before we had the lock.
        return nullptr;
    }
    return segment;
}

Result<void> SegmentFiles::append_to(std::shared_ptr<Segment> segment, std::uint64_t end) {
    if (::ftruncate(segment->fd.get(), static_cast<off_t>(end)) != 0) {
        return system_error("cannot cut", segment->path, errno);
    }
    segment->end = end;
    segment->asked = segment->released = end;
    const std::lock_guard lock(mutex_);
    current_ = std::move(segment);
    return {};
}

Result<void> SegmentFiles::sync(Segment& segment) const {
    if (segment.has_failed) {
        return Error{Errc::unavailable,
                     "blocks in " + segment.path +
                         " could not be written to the disk; see the kernel's log, start this "
                         "program again and add them again"};
    }
    if (segment.is_dirty.exchange(false) && ::fdatasync(segment.fd.get()) != 0) {
        const int error = errno;
        segment.has_failed = true;
        return system_error("cannot sync", segment.path, error);
    }
    if (segment.is_new) {
        const UniqueFd folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!folder || ::fsync(folder.get()) != 0) {
            return system_error("cannot sync folder", folder_, errno);
        }
        segment.is_new = false;
    }
    return {};
}

Result<std::shared_ptr<UniqueFd>> SegmentFiles::open_for_reading(std::uint64_t number) {
    const std::lock_guard lock(reading_mutex_);
    const auto found = std::ranges::find(reading_, number, &OpenFile::first);
    if (found != reading_.end()) {
        reading_.splice(reading_.begin(), reading_, found);
        return found->second;
    }
    const std::string path = path_of(number);
    auto file = std::make_shared<UniqueFd>(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!*file) {
        if (errno == ENOENT) {
            return std::shared_ptr<UniqueFd>();
        }
        return system_error("cannot open", path, errno);
    }
    reading_.emplace_front(number, file);
    if (reading_.size() > limits::segments_open_max) {
        reading_.pop_back();
    }
    return file;
}

void SegmentFiles::forget(std::uint64_t number) {
    const std::lock_guard lock(reading_mutex_);
    std::erase_if(reading_, [number](const OpenFile& file) { return file.first == number; });
}

Result<std::optional<LentBytes>> SegmentFiles::read(const Place& place, ByteView key) {
    if (place.size > ic::limits::block_bytes_max) {
        return std::optional<LentBytes>{};
    }
    const std::shared_ptr<UniqueFd> file = TRY(open_for_reading(place.segment));
    if (!file) {
        return std::optional<LentBytes>{};
    }
    const std::size_t bytes = record_head_bytes + place.size;
    auto buffer = std::make_shared_for_overwrite<std::uint8_t[]>(bytes);
    const ssize_t count = read_at(file->get(), buffer.get(), bytes, place.offset);
    if (count < 0) {
        return system_error("cannot read", path_of(place.segment), errno);
    }
    const std::optional<RecordHead> head =
        decode_record_head({buffer.get(), std::min<std::size_t>(bytes, record_head_bytes)});
    if (static_cast<std::size_t>(count) != bytes || !head || head->size != place.size ||
        !std::ranges::equal(head->key, key)) {
        return std::optional<LentBytes>{};
    }
    const ByteView block{buffer.get() + record_head_bytes, place.size};
    return std::optional<LentBytes>{LentBytes{block, std::move(buffer)}};
}

Result<std::optional<RecordHead>> SegmentFiles::head_at(std::uint64_t segment,
                                                        std::uint64_t offset) {
    const std::shared_ptr<UniqueFd> file = TRY(open_for_reading(segment));
    std::array<std::uint8_t, record_head_bytes> head{};
    if (!file || read_at(file->get(), head.data(), head.size(), offset) !=
                     static_cast<ssize_t>(head.size())) {
        return std::optional<RecordHead>{};
    }
    return decode_record_head(head);
}

Result<std::optional<std::uint64_t>> SegmentFiles::next_head(std::uint64_t segment,
                                                             std::uint64_t from) {
    constexpr std::size_t window = std::size_t{1} << 20U;
    if (TRY(head_at(segment, from))) { // As a rule: records follow each other.
        return std::optional(from);
    }
    const std::shared_ptr<UniqueFd> file = TRY(open_for_reading(segment));
    Bytes bytes(window);
    while (file) {
        const ssize_t count = read_at(file->get(), bytes.data(), bytes.size(), from);
        if (count < 0) {
            return system_error("cannot read", path_of(segment), errno);
        }
        const auto filled = static_cast<std::size_t>(count);
        if (const auto found = find_record_head(ByteView{bytes}.first(filled))) {
            return std::optional(from + *found);
        }
        if (filled < window) {
            break;
        }
        from += window - (record_head_bytes - 1); // A head may lie across the edge.
    }
    return std::optional<std::uint64_t>{};
}

Result<void>
SegmentFiles::punch(std::uint64_t segment, std::uint64_t offset, std::uint64_t bytes) const {
    const std::string path = path_of(segment);
    const UniqueFd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (!file) {
        return errno == ENOENT ? Result<void>{} : system_error("cannot open", path, errno);
    }
    if (::fallocate(file.get(),
                    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    static_cast<off_t>(offset),
                    static_cast<off_t>(bytes)) != 0 &&
        errno != EOPNOTSUPP) { // Then the space comes back with the whole file.
        return system_error("cannot give back space of", path, errno);
    }
    return {};
}

Result<void> SegmentFiles::remove(const Segment& segment) {
    forget(segment.number);
    // Emptied first: other processes may hold it open for long.
    if (::ftruncate(segment.fd.get(), 0) != 0 || ::unlink(segment.path.c_str()) != 0) {
        return system_error("cannot remove", segment.path, errno);
    }
    return {};
}

Result<std::vector<std::uint64_t>> SegmentFiles::list() const {
    std::vector<std::uint64_t> numbers;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(folder_.c_str()), &::closedir);
    if (!folder) {
        return errno == ENOENT ? Result<std::vector<std::uint64_t>>(numbers)
                               : system_error("cannot read folder", folder_, errno);
    }
    while (const dirent* entry = ::readdir(folder.get())) {
        const std::string_view name = entry->d_name;
        std::uint64_t number = 0;
        if (name.size() == 16 + suffix.size() && name.ends_with(suffix) &&
            std::from_chars(name.data(), name.data() + 16, number, 16).ptr == name.data() + 16) {
            numbers.push_back(number);
        }
    }
    return numbers;
}

} // namespace ic::embedded
