#include "unixfs/file_reader.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <utility>

namespace ic::unixfs {
namespace {

Error malformed(const char* message) { return {Errc::malformed, message}; }

} // namespace

Result<FileReader> FileReader::open(BlockSource& source, const Cid& cid) {
    return of_node(source, cid, TRY(load_node(source, cid)));
}

Result<FileReader> FileReader::of_node(BlockSource& source, const Cid& cid, LoadedNode root) {
    Result<Frame> frame = framed(std::move(root), 0);
    if (!frame) {
        return std::move(frame).take_error().during("reading " + cid.to_string());
    }
    return FileReader(source, cid, std::move(frame).take());
}

FileReader::FileReader(BlockSource& source, const Cid& cid, Frame root)
    : source_(&source)
    , cid_(cid)
    , size_(root.end)
    , links_(root.parts.size()) {
    frames_.push_back(std::move(root));
}

std::uint64_t FileReader::size() const { return size_; }

std::size_t FileReader::held_bytes() const {
    std::size_t bytes = links_ * sizeof(Part);
    for (const Frame& frame : frames_) {
        bytes += frame.block->view().size();
    }
    return bytes;
}

void FileReader::rest() {
    frames_.clear();
    frames_.shrink_to_fit();
    links_ = 0;
}

/// The root, if it rests.
Result<void> FileReader::wake() {
    if (!frames_.empty()) {
        return {};
    }
    Result<Frame> root = framed(TRY(load_node(*source_, cid_)), 0);
    if (!root) {
        return std::move(root).take_error().during("reading " + cid_.to_string());
    }
    links_ = root->parts.size();
    frames_.push_back(std::move(root).take());
    return {};
}

Result<std::size_t> FileReader::read(std::span<std::uint8_t> out) {
    const std::size_t count = TRY(read_at(position_, out));
    position_ += count;
    return count;
}

Result<std::size_t> FileReader::read_at(std::uint64_t offset, std::span<std::uint8_t> out) {
    std::size_t count = 0;
    while (count < out.size() && offset < size()) {
        TRY(descend(offset));
        const Frame& leaf = frames_.back();
        const ByteView here = leaf.content.subspan(static_cast<std::size_t>(offset - leaf.start));
        const std::size_t taken = std::min(here.size(), out.size() - count);
        std::memcpy(out.data() + count, here.data(), taken);
        count += taken;
        offset += taken;
    }
    return count;
}

Result<LentBytes> FileReader::lend_at(std::uint64_t offset) {
    if (offset >= size()) {
        return LentBytes{};
    }
    TRY(descend(offset));
    const Frame& leaf = frames_.back();
    return LentBytes{leaf.content.subspan(static_cast<std::size_t>(offset - leaf.start)),
                     leaf.block};
}

/// Makes the last frame the one whose own content holds `offset`. Requires: offset < size().
Result<void> FileReader::descend(std::uint64_t offset) {
    TRY(wake());
    while (offset < frames_.back().start || offset >= frames_.back().end) {
        links_ -= frames_.back().parts.size();
        frames_.pop_back(); // The root covers every offset, so it stays.
    }
    while (offset >= frames_.back().content_end()) {
        if (frames_.size() == limits::file_depth_max) {
            return Error{Errc::too_large, "the file is more than 64 blocks deep"};
        }
        tell_what_follows(offset);
        Frame child = TRY(child_at(frames_.back(), offset));
        if (child.parts.size() > limits::file_links_max - links_) {
            return Error{Errc::too_large,
                         "the way to a leaf of the file has more than 262144 links"};
        }
        links_ += child.parts.size();
        frames_.push_back(std::move(child));
    }
    return {};
}

/// The part at `offset` and those behind it, as far as the nodes on the way to it say.
void FileReader::tell_what_follows(std::uint64_t offset) const {
    const std::size_t most = source_->foresight_blocks();
    if (most == 0) {
        return;
    }
    std::vector<UpcomingBlock> soon;
    for (auto frame = frames_.rbegin(); frame != frames_.rend() && soon.size() < most; ++frame) {
        auto part = std::ranges::upper_bound(frame->parts, offset, {}, &Part::end);
        if (frame != frames_.rbegin() && part != frame->parts.end()) {
            ++part; // The way to the frame below.
        }
        for (; part != frame->parts.end() && soon.size() < most; ++part) {
            const std::uint64_t start =
                part == frame->parts.begin() ? frame->content_end() : std::prev(part)->end;
            if (start != part->end) { // Parts without content are never fetched.
                soon.push_back({.cid = part->cid, .offset = start});
            }
        }
    }
    source_->expect(cid_, soon);
}

/// The part that covers `offset`. Parts without content cover nothing, so they are never fetched:
/// however many a file has, each fetch brings bytes.
Result<FileReader::Frame> FileReader::child_at(const Frame& parent, std::uint64_t offset) {
    const auto part = std::ranges::upper_bound(parent.parts, offset, {}, &Part::end);
    assert(part != parent.parts.end()); // Parts end where their parent ends.
    const std::uint64_t start =
        part == parent.parts.begin() ? parent.content_end() : std::prev(part)->end;
    Result<Frame> child = framed(TRY(load_node(*source_, part->cid)), start);
    if (child && child->end != part->end) {
        child = malformed("its size is not the one that its parent gives");
    }
    if (!child) {
        return std::move(child).take_error().during("reading " + part->cid.to_string());
    }
    return child;
}

/// Checks a node by itself: sizes present, summing up, without overflow.
Result<FileReader::Frame> FileReader::framed(LoadedNode node, std::uint64_t start) {
    const Data& data = node.data;
    if (data.type != DataType::file && data.type != DataType::raw) {
        return Error{Errc::unsupported, "it is not a file"};
    }
    if (data.block_sizes.size() != node.links.size()) {
        return malformed("it has not one block size for each link");
    }
    Frame frame{.content = data.data.value_or(ByteView{}), .start = start, .end = start};
    const auto grow = [&frame](std::uint64_t by) {
        const bool fits = by <= std::uint64_t{std::numeric_limits<std::int64_t>::max()} - frame.end;
        frame.end += fits ? by : 0;
        return fits;
    };
    bool fits = grow(frame.content.size());
    for (std::size_t index = 0; index < node.links.size(); ++index) {
        fits = fits && grow(data.block_sizes[index]);
        frame.parts.push_back({.end = frame.end, .cid = node.links[index].cid});
    }
    if (!fits) {
        return Error{Errc::too_large, "the file has more than 2^63 - 1 bytes"};
    }
    // Only early leaves lack the size; with links it decides nothing but must be there.
    if (data.file_size ? *data.file_size != frame.end - start : !node.links.empty()) {
        return malformed("its size is not the sum of its parts");
    }
    frame.block = std::make_shared<const LentBytes>(std::move(node.block));
    return frame;
}

} // namespace ic::unixfs
