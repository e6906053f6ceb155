#include "unixfs/file_builder.h"

#include "ipld/dag_pb.h"
#include "ipld/protobuf.h"
#include "unixfs/data.h"
#include "unixfs/put_node.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace ic::unixfs {
namespace {

/// A whole DAG-PB node around `chunk`, written to `out` in one pass. The same as encoding a Data
/// and then a Node, without copying the chunk twice.
void write_leaf(Bytes& out, ByteView chunk) {
    Bytes head; // type, and the head of the content
    protobuf::append_varint(head, 1, static_cast<std::uint64_t>(DataType::file));
    if (!chunk.empty()) { // Kubo leaves the field out of an empty file.
        protobuf::append_head(head, 2, chunk.size());
    }
    Bytes tail;
    protobuf::append_varint(tail, 3, chunk.size());

    out.clear();
    protobuf::append_head(out, 1, head.size() + chunk.size() + tail.size());
    out.insert(out.end(), head.begin(), head.end());
    out.insert(out.end(), chunk.begin(), chunk.end());
    out.insert(out.end(), tail.begin(), tail.end());
}

} // namespace

FileBuilder::FileBuilder(const Profile& profile, BlockSink& sink) : profile_(profile), sink_(sink) {
    assert(profile.links_max >= 2 && profile.chunk_bytes > 0);
    assert(profile.cid_version == 1 || profile.leaves == Leaves::dag_pb);
}

Result<void> FileBuilder::write(ByteView bytes) {
    if (!chunk_.empty()) {
        const ByteView missing =
            bytes.first(std::min(bytes.size(), profile_.chunk_bytes - chunk_.size()));
        chunk_.insert(chunk_.end(), missing.begin(), missing.end());
        bytes = bytes.subspan(missing.size());
        if (chunk_.size() == profile_.chunk_bytes) {
            TRY(put_leaf(chunk_));
            chunk_.clear();
        }
    }
    for (; bytes.size() >= profile_.chunk_bytes; bytes = bytes.subspan(profile_.chunk_bytes)) {
        TRY(put_leaf(bytes.first(profile_.chunk_bytes)));
    }
    chunk_.insert(chunk_.end(), bytes.begin(), bytes.end());
    return {};
}

Result<Entry> FileBuilder::finish() {
    if (!chunk_.empty() || levels_.empty()) { // An empty file has one empty leaf.
        TRY(put_leaf(chunk_));
        chunk_.clear();
    }
    // A lone part is wrapped too, unless it is the root: all leaves are equally deep.
    for (std::size_t level = 0; level < levels_.size(); ++level) {
        if (level + 1 == levels_.size() && levels_[level].size() == 1) {
            const Part& root = levels_[level].front();
            return Entry{.cid = root.cid, .tsize = root.tsize, .file_size = root.content_bytes};
        }
        if (!levels_[level].empty()) {
            TRY(close_level(level));
        }
    }
    assert(false); // close_level leaves one part above, so the top level ends the loop.
    return Error{Errc::internal, "a file without a root"};
}

Result<void> FileBuilder::put_leaf(ByteView chunk) {
    if (profile_.leaves == Leaves::raw) {
        const Cid cid = cid_of(Codec::raw, chunk);
        TRY(sink_.put(cid, chunk));
        return add_part(0, {.cid = cid, .tsize = chunk.size(), .content_bytes = chunk.size()});
    }
    write_leaf(leaf_, chunk);
    const Cid cid = node_cid(profile_, leaf_);
    TRY(sink_.put(cid, leaf_));
    return add_part(0, {.cid = cid, .tsize = leaf_.size(), .content_bytes = chunk.size()});
}

Result<void> FileBuilder::add_part(std::size_t level, Part part) {
    if (level == levels_.size()) {
        levels_.emplace_back();
    }
    levels_[level].push_back(std::move(part));
    return levels_[level].size() == profile_.links_max ? close_level(level) : Result<void>{};
}

/// Links the parts of a level from one node, which is a part of the level above. The recursion
/// through add_part is as deep as the tree is high.
Result<void> FileBuilder::close_level(std::size_t level) {
    Data data{.type = DataType::file, .file_size = 0};
    dag_pb::Node node;
    for (const Part& part : levels_[level]) {
        data.block_sizes.push_back(part.content_bytes);
        *data.file_size += part.content_bytes;
        node.links.push_back({.cid = part.cid, .tsize = part.tsize});
    }
    levels_[level].clear();
    const Bytes message = encode_data(data);
    node.data = message;
    Written written = TRY(put_node(profile_, sink_, node));
    return add_part(level + 1,
                    {.cid = written.cid, .tsize = written.tsize, .content_bytes = *data.file_size});
}

} // namespace ic::unixfs
