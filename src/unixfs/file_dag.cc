#include "unixfs/file_dag.h"

#include "ipld/dag_pb.h"
#include "unixfs/data.h"
#include "unixfs/put_node.h"

#include <cassert>
#include <utility>

namespace ic::unixfs {
namespace {

/// Kubo's trickle layout: so many subtrees of one depth before the next depth begins.
constexpr std::size_t subtrees_of_a_depth = 4;

/// What a file, unlike a directory, keeps: no mode 0.
Metadata of_file(Metadata metadata) {
    if (metadata.mode == 0U) {
        metadata.mode.reset();
    }
    return metadata;
}

Error too_many_links() {
    return {Errc::too_large,
            "a node of the file would have more than 65536 links: give a smaller --max-file-links"};
}

} // namespace

FileDag::FileDag(const Profile& profile, const Metadata& metadata, BlockSink& sink)
    : profile_(profile)
    , metadata_(of_file(metadata))
    , sink_(sink) {
    assert(profile.links_max >= 2);
    assert(profile.cid_version == 1 || profile.hash == HashCode::sha2_256);
}

Result<void> FileDag::add(Part leaf) {
    return profile_.layout == Layout::balanced ? add_balanced(0, std::move(leaf))
                                               : add_trickle(std::move(leaf));
}

Result<Entry> FileDag::finish() {
    if (profile_.layout == Layout::trickle) {
        return finish_trickle();
    }
    if (open_.empty()) { // An empty file is one empty leaf.
        Bytes room;
        const Leaf leaf = LeafMaker(profile_, metadata_).make_only({}, room);
        TRY(put_block(sink_, leaf.part.cid, leaf.block));
        TRY(add(leaf.part));
    }
    return finish_balanced();
}

/// A full node is put when the next part comes, not before: it might be the root, which is
/// different. The recursion is as deep as the tree is high.
Result<void> FileDag::add_balanced(std::size_t level, Part part) {
    if (level == open_.size()) {
        open_.emplace_back();
    }
    if (open_[level].parts.size() == profile_.links_max) {
        Part node = TRY(put_parts(open_[level].parts, {}));
        open_[level].parts.clear();
        TRY(add_balanced(level + 1, std::move(node)));
    }
    if (open_[level].parts.size() == dag_pb::limits::links_max) {
        return too_many_links();
    }
    open_[level].parts.push_back(std::move(part));
    return {};
}

/// Every level but the last gives its parts to the one above, a lone part too, unless it is the
/// only one: all leaves are equally deep.
Result<Entry> FileDag::finish_balanced() {
    for (std::size_t level = 0; level + 1 < open_.size(); ++level) {
        TRY(add_balanced(level + 1, TRY(put_parts(open_[level].parts, {}))));
    }
    const std::vector<Part>& top = open_.back().parts;
    const Part root = top.size() == 1 ? top.front() : TRY(put_parts(top, metadata_));
    return Entry{.cid = root.cid, .tsize = root.tsize, .file_size = root.content_bytes};
}

/// From the root down: a node takes leaves until it is full, then four subtrees of depth 1, four of
/// depth 2 and so on; the root without end, the others as deep as they may be.
Result<void> FileDag::add_trickle(Part leaf) {
    if (open_.empty()) {
        open_.emplace_back();
    }
    while (open_.back().parts.size() - open_.back().subtrees >= profile_.links_max) {
        const std::size_t depth = open_.back().subtrees / subtrees_of_a_depth + 1;
        if (open_.size() == 1 || depth < open_.back().depth_max) {
            open_.push_back({.depth_max = depth});
        } else {
            TRY(close_last());
        }
    }
    if (open_.back().parts.size() == dag_pb::limits::links_max) {
        return too_many_links();
    }
    open_.back().parts.push_back(std::move(leaf));
    return {};
}

Result<void> FileDag::close_last() {
    Part node = TRY(put_parts(open_.back().parts, {}));
    open_.pop_back();
    open_.back().parts.push_back(std::move(node));
    ++open_.back().subtrees;
    return {};
}

Result<Entry> FileDag::finish_trickle() {
    while (open_.size() > 1) {
        TRY(close_last());
    }
    const Part root =
        TRY(put_parts(open_.empty() ? std::vector<Part>{} : open_.front().parts, metadata_));
    return Entry{.cid = root.cid, .tsize = root.tsize, .file_size = root.content_bytes};
}

Result<Part> FileDag::put_parts(const std::vector<Part>& parts, const Metadata& metadata) {
    Data data{
        .type = DataType::file, .file_size = 0, .mode = metadata.mode, .mtime = metadata.mtime};
    dag_pb::Node node;
    data.block_sizes.reserve(parts.size());
    node.links.reserve(parts.size());
    for (const Part& part : parts) {
        data.block_sizes.push_back(part.content_bytes);
        *data.file_size += part.content_bytes;
        node.links.push_back({.cid = part.cid, .tsize = part.tsize});
    }
    const Bytes message = encode_data(data);
    node.data = message;
    Written written = TRY(put_node(profile_, sink_, node));
    return Part{.cid = written.cid, .tsize = written.tsize, .content_bytes = *data.file_size};
}

} // namespace ic::unixfs
