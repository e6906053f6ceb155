#include "unixfs/directory.h"

#include "unixfs/directory_builder.h"
#include "unixfs/file_reader.h"
#include "unixfs/hamt.h"
#include "unixfs/load_node.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace ic::unixfs {
namespace {

DirectoryEntry entry_of(const dag_pb::Link& link) {
    return {.name = link.name, .cid = link.cid, .tsize = link.tsize};
}

Error not_a_directory(const Cid& cid) {
    return {Errc::unsupported, cid.to_string() + " is not a directory"};
}

Error without_entry(const Cid& cid, std::string_view name) {
    return {Errc::not_found, "no entry '" + std::string(name) + "' in " + cid.to_string()};
}

/// The way to a shard: the buckets that every name in it must hash to.
struct ShardPlace {
    std::uint64_t fanout = 0;
    std::vector<std::uint64_t> buckets; ///< From the root down.

    bool leads_to(std::uint64_t hash) const {
        for (std::size_t level = 0; level < buckets.size(); ++level) {
            if (bucket_of(hash, level, fanout) != buckets[level]) {
                return false;
            }
        }
        return true;
    }
};

/// The shard at `cid`, which has to have its parent's fanout and, like all but an empty root,
/// links.
Result<Shard> child_shard(BlockSource& source, const Cid& cid, std::uint64_t fanout) {
    LoadedNode node = TRY(load_node(source, cid));
    Shard shard = TRY(decode_shard(node.data, std::move(node.links)));
    if (shard.fanout != fanout || shard.links.empty()) {
        return Error{Errc::malformed,
                     "shard " + cid.to_string() + " is empty or has another fanout than the root"};
    }
    return shard;
}

/// Whether a shard can lie `depth` below the root: the hash must have bits left to choose by.
bool has_depth(std::size_t depth, std::uint64_t fanout) {
    return bucket_of(0, depth, fanout).has_value();
}

Error too_deep() {
    return {Errc::malformed, "a sharded directory is deeper than its hash is long"};
}

/// Lists the shards of one directory. Every name is checked against the way that led to it, so a
/// name can only come once, and a shard that is linked from two places fails at its first name:
/// the time taken is bounded by the number of names.
class ShardLister {
public:
    ShardLister(BlockSource& source, const EntryVisitor& visit) : source_(source), visit_(visit) {}

    Result<void> list(const Shard& shard) {
        place_.fanout = shard.fanout;
        for (const ShardLink& link : shard.links) {
            place_.buckets.push_back(link.bucket);
            TRY(list(link));
            place_.buckets.pop_back();
        }
        return {};
    }

private:
    Result<void> list(const ShardLink& link) {
        if (link.kind == ShardLink::Kind::shard) {
            if (!has_depth(place_.buckets.size(), place_.fanout)) {
                return too_deep();
            }
            return list(TRY(child_shard(source_, link.link.cid, place_.fanout)));
        }
        TRY(check_name(link.link.name));
        if (!place_.leads_to(shard_hash(link.link.name))) {
            return Error{Errc::malformed, "an entry of a sharded directory lies in a wrong bucket"};
        }
        return visit_(entry_of(link.link));
    }

    BlockSource& source_;
    const EntryVisitor& visit_;
    ShardPlace place_;
};

Result<void> list_plain(std::vector<dag_pb::Link> links, const EntryVisitor& visit) {
    std::ranges::sort(links, {}, &dag_pb::Link::name); // Early versions of Kubo did not sort.
    if (std::ranges::adjacent_find(links, {}, &dag_pb::Link::name) != links.end()) {
        return Error{Errc::malformed, "a directory has two entries of one name"};
    }
    for (const dag_pb::Link& link : links) {
        TRY(check_name(link.name));
        TRY(visit(entry_of(link)));
    }
    return {};
}

/// The entry `name` in the bucket it hashes to, some shards down from `shard`; nothing if the way
/// ends before.
Result<std::optional<DirectoryEntry>>
find_in_shards(BlockSource& source, Shard shard, std::string_view name) {
    const std::uint64_t hash = shard_hash(name);
    for (std::size_t depth = 0;; ++depth) {
        const std::optional<std::uint64_t> bucket = bucket_of(hash, depth, shard.fanout);
        if (!bucket) {
            return too_deep();
        }
        const auto link = std::ranges::find(shard.links, *bucket, &ShardLink::bucket);
        if (link == shard.links.end()) {
            return std::optional<DirectoryEntry>{};
        }
        if (link->kind == ShardLink::Kind::entry) {
            return link->link.name == name ? std::optional{entry_of(link->link)} : std::nullopt;
        }
        shard = TRY(child_shard(source, link->link.cid, shard.fanout));
    }
}

} // namespace

Result<Stat> stat(BlockSource& source, const Cid& cid) {
    LoadedNode node = TRY(load_node(source, cid));
    const Metadata metadata = node.data.metadata();
    switch (node.data.type) {
    case DataType::directory:
    case DataType::hamt_shard:
        return Stat{.type = EntryType::directory, .size = 0, .metadata = metadata};
    case DataType::symlink:
        return Stat{.type = EntryType::symlink,
                    .size = node.data.data.value_or(ByteView{}).size(),
                    .metadata = metadata};
    case DataType::raw:
    case DataType::file: {
        const FileReader reader = TRY(FileReader::of_node(source, cid, std::move(node)));
        return Stat{.type = EntryType::file, .size = reader.size(), .metadata = metadata};
    }
    case DataType::metadata:
        break;
    }
    return Error{Errc::unsupported, cid.to_string() + " is UnixFS metadata, which is not used"};
}

Result<void> list(BlockSource& source, const Cid& cid, const EntryVisitor& visit) {
    LoadedNode node = TRY(load_node(source, cid));
    if (node.data.type == DataType::directory) {
        return list_plain(std::move(node.links), visit);
    }
    if (node.data.type == DataType::hamt_shard) {
        return ShardLister(source, visit).list(TRY(decode_shard(node.data, std::move(node.links))));
    }
    return not_a_directory(cid);
}

Result<void> list_with_types(BlockSource& source,
                             const Cid& cid,
                             const std::function<Result<void>(const ListedEntry&)>& visit) {
    return list(source, cid, [&source, &visit](const DirectoryEntry& entry) -> Result<void> {
        if (entry.cid.codec() == Codec::raw) {
            return visit({entry, Stat{.type = EntryType::file, .size = entry.tsize}});
        }
        Result<Stat> found = stat(source, entry.cid);
        if (!found && found.error().code == Errc::unsupported) {
            return visit({entry, std::nullopt});
        }
        return visit({entry, TRY(std::move(found))});
    });
}

Result<DirectoryEntry> find_entry(BlockSource& source, const Cid& cid, std::string_view name) {
    LoadedNode node = TRY(load_node(source, cid));
    if (node.data.type == DataType::directory) {
        const auto link = std::ranges::find(node.links, name, &dag_pb::Link::name);
        if (link == node.links.end()) {
            return without_entry(cid, name);
        }
        return entry_of(*link);
    }
    if (node.data.type != DataType::hamt_shard) {
        return not_a_directory(cid);
    }
    std::optional<DirectoryEntry> found =
        TRY(find_in_shards(source, TRY(decode_shard(node.data, std::move(node.links))), name));
    if (!found) {
        return without_entry(cid, name);
    }
    return std::move(*found);
}

Result<Cid> resolve(BlockSource& source, const ContentPath& path) {
    Cid cid = path.root;
    for (const std::string& name : path.names) {
        cid = TRY(find_entry(source, cid, name)).cid;
    }
    return cid;
}

Result<Cid> resolve(BlockSource& source, std::string_view path) {
    return resolve(source, TRY(ContentPath::parse(path)));
}

Result<Cid> resolve(BlockSource& source, const Cid& root, std::string_view path) {
    return resolve(source, ContentPath{.root = root, .names = TRY(split_names(path))});
}

Result<std::string> read_link(BlockSource& source, const Cid& cid) {
    const LoadedNode node = TRY(load_node(source, cid));
    if (node.data.type != DataType::symlink) {
        return Error{Errc::unsupported, cid.to_string() + " is not a symlink"};
    }
    const ByteView target = node.data.data.value_or(ByteView{});
    if (target.size() > limits::path_bytes_max) {
        return Error{Errc::too_large, "the target of a symlink has more than 4096 bytes"};
    }
    return std::string(text_of(target));
}

} // namespace ic::unixfs
