#include "importer/cutter.h"

#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ic::importer {
namespace {

/// Ours: the least that is worth the way from thread to thread, 0.6 ms of hashing.
constexpr std::size_t piece_bytes_min = std::size_t{1} << 20U;
constexpr std::size_t buffer_bytes_more = 4096;

template <class Read>
Result<std::size_t> read_until(std::size_t bytes, const std::string& path, Read read) {
    std::size_t filled = 0;
    while (filled < bytes) {
        const ssize_t count = read(filled);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return system_error("cannot read", path, errno);
        }
        if (count == 0) {
            break;
        }
        filled += static_cast<std::size_t>(count);
    }
    return filled;
}

} // namespace

std::size_t piece_bytes_of(const unixfs::ChunkerSpec& chunker) {
    if (chunker.kind == unixfs::ChunkerSpec::Kind::fixed) {
        return std::max(piece_bytes_min / chunker.bytes_max, std::size_t{1}) * chunker.bytes_max;
    }
    return std::max(piece_bytes_min, unixfs::limits::chunk_bytes_max);
}

std::size_t buffer_bytes_of(const unixfs::ChunkerSpec& chunker) {
    return piece_bytes_of(chunker) + buffer_bytes_more;
}

Result<std::size_t>
read_full(const UniqueFd& file, std::uint8_t* out, std::size_t bytes, const std::string& path) {
    return read_until(bytes, path, [&](std::size_t filled) {
        return ::read(file.get(), out + filled, bytes - filled);
    });
}

Result<std::size_t> read_full_at(const UniqueFd& file,
                                 std::uint64_t offset,
                                 std::uint8_t* out,
                                 std::size_t bytes,
                                 const std::string& path) {
    return read_until(bytes, path, [&](std::size_t filled) {
        return ::pread(
            file.get(), out + filled, bytes - filled, static_cast<off_t>(offset + filled));
    });
}

Cutter::Cutter(Walk& walk, const unixfs::ImportOptions& options, BufferPool& pool, Known known)
    : walk_(walk)
    , options_(options)
    , pool_(pool)
    , known_(std::move(known))
    , piece_bytes_(piece_bytes_of(options.profile.chunker)) {}

Result<std::optional<Job>> Cutter::next() {
    if (file_ && chunker_) {
        return std::optional<Job>(TRY(next_piece_of_stream()));
    }
    if (file_) {
        return std::optional<Job>(next_piece_at_offset());
    }
    std::optional<Step> step = TRY(walk_.next());
    if (!step) {
        return std::optional<Job>();
    }
    return start(std::move(*step));
}

Result<std::optional<Job>> Cutter::start(Step step) {
    Job job;
    switch (step.kind) {
    case Step::Kind::folder_begins:
        job.kind = Job::Kind::folder_begins;
        break;
    case Step::Kind::folder_ends:
        job.kind = Job::Kind::folder_ends;
        break;
    case Step::Kind::symlink:
        job.kind = Job::Kind::symlink;
        break;
    case Step::Kind::stream:
        return start_stream(std::move(step));
    case Step::Kind::file:
        if (known_) {
            job.entry = TRY(known_(step.status));
        }
        if (job.entry) {
            job.kind = Job::Kind::known_file;
        } else if (static_cast<std::uint64_t>(step.status.st_size) > piece_bytes_) {
            if (options_.profile.chunker.kind != unixfs::ChunkerSpec::Kind::fixed) {
                return start_stream(std::move(step));
            }
            file_ = TRY(open(std::move(step)));
            if (static_cast<std::uint64_t>(file_->seen.status.st_size) > piece_bytes_) {
                offset_ = 0;
                ::posix_fadvise(file_->fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
                return std::optional<Job>(next_piece_at_offset());
            }
            return Error{Errc::unavailable, // It was longer a moment ago.
                         file_->step.path + " became shorter while it was read; add it again when "
                                            "nothing writes to it"};
        }
        break;
    }
    job.step = std::move(step);
    return std::optional<Job>(std::move(job));
}

Result<std::shared_ptr<OpenFile>> Cutter::open(Step step) {
    UniqueFd fd(-1);
    Seen seen;
    if (step.kind == Step::Kind::stream && step.status.st_mode == 0) {
        fd.reset(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
        if (!fd) {
            return system_error("cannot read", step.path, errno);
        }
    } else {
        fd = TRY(walk_.open(step));
        seen = TRY(look_at(fd, step));
    }
    const unixfs::Metadata metadata = options_.metadata_of(
        step.kind == Step::Kind::stream ? unixfs::Metadata{} : metadata_in(seen.status));
    step.folder.reset();
    return std::make_shared<OpenFile>(
        OpenFile{.step = std::move(step),
                 .fd = std::move(fd),
                 .seen = seen,
                 .metadata = metadata,
                 .maker = unixfs::LeafMaker(options_.profile, metadata)});
}

Job Cutter::next_piece_at_offset() {
    const auto size = static_cast<std::uint64_t>(file_->seen.status.st_size);
    Job job;
    job.kind = Job::Kind::piece;
    job.file = file_;
    job.offset = offset_;
    job.bytes = static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes_, size - offset_));
    offset_ += job.bytes;
    job.is_last = offset_ == size;
    if (job.is_last) {
        file_ = nullptr;
    }
    return job;
}

Result<std::optional<Job>> Cutter::start_stream(Step step) {
    file_ = TRY(open(std::move(step)));
    buffer_ = pool_.take();
    offset_ = filled_ = looked_at_ = 0;
    is_at_end_ = false;
    TRY(fill());
    if (!is_at_end_) { // So there is more than a chunk.
        chunker_.emplace(options_.profile.chunker);
        return std::optional<Job>(TRY(next_piece_of_stream()));
    }
    Job job;
    job.kind = Job::Kind::stream_whole;
    job.file = std::exchange(file_, nullptr);
    job.step = job.file->step;
    job.filled = {.buffer = std::move(buffer_), .bytes = filled_};
    return std::optional<Job>(std::move(job));
}

Result<void> Cutter::fill() {
    const std::size_t room = pool_.buffer_bytes() - filled_;
    const std::size_t count =
        TRY(read_full(file_->fd, buffer_.get() + filled_, room, file_->step.path));
    filled_ += count;
    is_at_end_ = count < room;
    return {};
}

/// All whole chunks of the buffer, which is full or holds the end of the stream; what is behind
/// them moves to the next buffer.
Result<Job> Cutter::next_piece_of_stream() {
    Job job;
    job.kind = Job::Kind::piece;
    job.file = file_;
    std::size_t chunk_begin = 0;
    while (looked_at_ < filled_) {
        const ByteView rest(buffer_.get() + looked_at_, filled_ - looked_at_);
        const std::optional<std::size_t> end = chunker_->find_end(rest);
        looked_at_ = end ? looked_at_ + *end : filled_;
        if (end) {
            job.filled.chunk_ends.push_back(looked_at_);
            chunk_begin = looked_at_;
        }
    }
    if (is_at_end_ && chunk_begin < filled_) {
        job.filled.chunk_ends.push_back(filled_);
        chunk_begin = filled_;
    }
    assert(chunk_begin > 0 || is_at_end_); // A full buffer is longer than any chunk.
    job.filled.bytes = chunk_begin;
    job.offset = std::exchange(offset_, offset_ + chunk_begin);
    job.is_last = is_at_end_;
    std::shared_ptr<std::uint8_t[]> next;
    if (!is_at_end_) {
        next = pool_.take();
        std::memcpy(next.get(), buffer_.get() + chunk_begin, filled_ - chunk_begin);
        filled_ -= chunk_begin;
        looked_at_ = filled_;
    }
    job.filled.buffer = std::exchange(buffer_, std::move(next));
    if (is_at_end_) {
        chunker_.reset();
        file_ = nullptr;
        return job;
    }
    TRY(fill());
    return job;
}

} // namespace ic::importer
