#include "unixfs/directory_builder.h"

#include "ipld/dag_pb.h"
#include "ipld/protobuf.h"
#include "unixfs/data.h"
#include "unixfs/hamt.h"
#include "unixfs/put_node.h"

#include <algorithm>
#include <cassert>
#include <utility>
#include <vector>

namespace ic::unixfs {
namespace {

Bytes directory_message(const Metadata& metadata) {
    return encode_data(
        {.type = DataType::directory, .mode = metadata.mode, .mtime = metadata.mtime});
}

} // namespace

Result<void> check_name(std::string_view name) {
    if (name.empty() || name == "." || name == "..") {
        return Error{Errc::malformed, "'" + std::string(name) + "' cannot be the name of an entry"};
    }
    if (name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos) {
        return Error{Errc::malformed, "the name of an entry contains '/' or a zero byte"};
    }
    if (name.size() > limits::name_bytes_max) {
        return Error{Errc::too_large, "the name of an entry has more than 1024 bytes"};
    }
    return {};
}

DirectoryBuilder::DirectoryBuilder(const Profile& profile,
                                   BlockSink& sink,
                                   const Metadata& metadata)
    : profile_(profile)
    , metadata_(metadata)
    , sink_(sink)
    , size_(profile.directory_size == DirectorySize::block
                ? protobuf::field_bytes(directory_message(metadata).size())
                : 0) {
    assert(profile.cid_version == 1 || profile.hash == HashCode::sha2_256);
}

Result<void> DirectoryBuilder::add(std::string name, const Entry& entry) {
    TRY(check_name(name));
    const std::size_t cid_bytes = entry.cid.bytes().size();
    const std::size_t size = profile_.directory_size == DirectorySize::block
                                 ? dag_pb::encoded_link_bytes(cid_bytes, name.size(), entry.tsize)
                                 : name.size() + cid_bytes;
    const auto [at, is_new] =
        children_.try_emplace(std::move(name), Child{.cid = entry.cid, .tsize = entry.tsize});
    if (!is_new) {
        return Error{Errc::malformed, "a directory has two entries named '" + at->first + "'"};
    }
    size_ += size;
    return {};
}

bool DirectoryBuilder::is_sharded() const {
    if (profile_.shard_above_bytes == 0) {
        return false;
    }
    return (profile_.directory_size != DirectorySize::ignored &&
            size_ > profile_.shard_above_bytes) ||
           (profile_.directory_links_max > 0 && children_.size() > profile_.directory_links_max);
}

Result<Entry> DirectoryBuilder::finish() {
    if (is_sharded()) {
        return finish_sharded();
    }
    dag_pb::Node node;
    for (const auto& [name, child] : children_) {
        node.links.push_back({.cid = child.cid, .name = name, .tsize = child.tsize});
    }
    const Bytes message = directory_message(metadata_);
    node.data = message;
    const Written written = TRY(put_node(profile_, sink_, node));
    return Entry{.cid = written.cid, .tsize = written.tsize, .file_size = 0};
}

Result<Entry> DirectoryBuilder::finish_sharded() {
    std::vector<ShardEntry> entries;
    entries.reserve(children_.size());
    for (const auto& [name, child] : children_) {
        entries.push_back(
            {.hash = shard_hash(name), .name = name, .cid = child.cid, .tsize = child.tsize});
    }
    std::ranges::sort(entries, {}, &ShardEntry::hash);
    const Written written = TRY(write_shards(profile_, sink_, entries, metadata_));
    return Entry{.cid = written.cid, .tsize = written.tsize, .file_size = 0};
}

} // namespace ic::unixfs
