#include "importer/worker.h"

#include "importer/cutter.h"
#include "unixfs/file_builder.h"
#include "unixfs/symlink.h"

#include <cassert>
#include <optional>
#include <utility>

namespace ic::importer {
namespace {

/// For the encoded leaves of one thread, which keeps it from job to job.
Bytes& room_of_this_thread() {
    thread_local Bytes room;
    return room;
}

} // namespace

Worker::Worker(const Walk& walk,
               const unixfs::ImportOptions& options,
               BlockSink& sink,
               InPlace* in_place,
               BufferPool& pool,
               Progress progress)
    : walk_(walk)
    , options_(options)
    , sink_(sink)
    , in_place_(in_place)
    , pool_(pool)
    , progress_(std::move(progress)) {}

Result<void> Worker::work(Job& job) const {
    const Step& step = job.file ? job.file->step : job.step;
    if (in_place_ != nullptr && step.kind == Step::Kind::stream) {
        return Error{Errc::usage,
                     "--nocopy leaves data where it is; " + step.path + " is no such place"};
    }
    Result<void> done = do_kind(job);
    job.step.folder.reset(); // A job that waits for its turn must not keep a descriptor open.
    return done;
}

Result<void> Worker::do_kind(Job& job) const {
    switch (job.kind) {
    case Job::Kind::folder_begins:
    case Job::Kind::folder_ends:
    case Job::Kind::known_file:
        return {};
    case Job::Kind::symlink: {
        const unixfs::Metadata metadata = options_.metadata_of(metadata_in(job.step.status));
        job.entry = TRY(unixfs::put_symlink(
            options_.profile, sink_, job.step.target, {.mode = {}, .mtime = metadata.mtime}));
        return {};
    }
    case Job::Kind::whole_file:
        return add_whole_file(job);
    case Job::Kind::stream_whole:
        job.entry = TRY(add_filled(job.filled, job.step, job.file->metadata));
        job.filled = {};
        return {};
    case Job::Kind::piece:
        return add_piece(job);
    }
    assert(false); // All kinds are above.
    return {};
}

Result<void> Worker::add_whole_file(Job& job) const {
    const UniqueFd file = TRY(walk_.open(job.step));
    const Seen before = TRY(look_at(file, job.step));
    const unixfs::Metadata metadata = options_.metadata_of(metadata_in(before.status));
    Filled filled{.buffer = pool_.take()};
    filled.bytes = TRY(read_full(file, filled.buffer.get(), pool_.buffer_bytes(), job.step.path));
    job.entry = filled.bytes < pool_.buffer_bytes()
                    ? TRY(add_filled(filled, job.step, metadata))
                    : TRY(add_grown(file, filled, job.step, metadata));
    TRY(check_unchanged(before.status, file, job.step));
    job.unchanged = before;
    return {};
}

/// A file that lies whole in a buffer.
Result<unixfs::Entry>
Worker::add_filled(const Filled& filled, const Step& step, const unixfs::Metadata& metadata) const {
    const unixfs::LeafMaker maker(options_.profile, metadata);
    unixfs::FileDag dag(options_.profile, metadata, sink_);
    unixfs::Chunker chunker(options_.profile.chunker);
    Bytes& room = room_of_this_thread();
    for (std::size_t begin = 0; begin < filled.bytes;) {
        const ByteView rest(filled.buffer.get() + begin, filled.bytes - begin);
        const std::size_t size = chunker.find_end(rest).value_or(rest.size());
        const Chunk chunk{.bytes = rest.first(size), .step = step, .offset = begin};
        const bool is_only = size == filled.bytes;
        const unixfs::Leaf leaf =
            is_only ? maker.make_only(chunk.bytes, room) : maker.make(chunk.bytes, room);
        TRY(dag.add(TRY(put_leaf(leaf, chunk))));
        begin += size;
    }
    progress_(filled.bytes);
    return dag.finish();
}

/// A file that was small when it was looked at and is not any more, or that does not say its size.
Result<unixfs::Entry> Worker::add_grown(const UniqueFd& file,
                                        const Filled& filled,
                                        const Step& step,
                                        const unixfs::Metadata& metadata) const {
    if (in_place_ != nullptr) {
        return Error{Errc::unavailable, step.path + " grew while it was read; add it again"};
    }
    unixfs::FileBuilder builder(options_.profile, sink_, metadata);
    std::size_t count = filled.bytes;
    for (;;) {
        TRY(builder.write({filled.buffer.get(), count}));
        progress_(count);
        if (count < pool_.buffer_bytes()) {
            return builder.finish();
        }
        count = TRY(read_full(file, filled.buffer.get(), pool_.buffer_bytes(), step.path));
    }
}

Result<void> Worker::add_piece(Job& job) const {
    const Step& step = job.file->step;
    if (job.bytes != 0) { // Not read yet.
        job.filled = {.buffer = pool_.take(), .bytes = job.bytes};
        const std::size_t count = TRY(
            read_full_at(job.file->fd, job.offset, job.filled.buffer.get(), job.bytes, step.path));
        if (count < job.bytes) {
            return Error{Errc::unavailable,
                         step.path + " became shorter while it was read; add it again when "
                                     "nothing writes to it"};
        }
        const std::size_t chunk_bytes = options_.profile.chunker.bytes_max;
        for (std::size_t end = chunk_bytes; end < count; end += chunk_bytes) {
            job.filled.chunk_ends.push_back(end);
        }
        job.filled.chunk_ends.push_back(count);
    }
    std::size_t begin = 0;
    for (const std::size_t end : job.filled.chunk_ends) {
        const Chunk chunk{.bytes = {job.filled.buffer.get() + begin, end - begin},
                          .step = step,
                          .offset = job.offset + begin};
        const unixfs::Leaf leaf = job.file->maker.make(chunk.bytes, room_of_this_thread());
        job.parts.push_back(TRY(put_leaf(leaf, chunk)));
        begin = end;
    }
    progress_(job.filled.bytes);
    job.filled = {};
    return {};
}

Result<unixfs::Part> Worker::put_leaf(const unixfs::Leaf& leaf, const Chunk& chunk) const {
    if (leaf.is_inline()) {
        return leaf.part;
    }
    if (in_place_ != nullptr && leaf.part.cid.codec() == Codec::raw) {
        TRY(in_place_->refer(leaf.part.cid, chunk.bytes, chunk.step.path, chunk.offset));
    } else {
        TRY(sink_.put(leaf.part.cid, leaf.block));
    }
    return leaf.part;
}

} // namespace ic::importer
