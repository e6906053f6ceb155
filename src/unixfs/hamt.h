#pragma once
/// HAMT shards: how a directory that is too large for one node is spread over a tree of nodes.
/// Format: https://specs.ipfs.tech/unixfs/, "HAMTShard", and what Kubo 0.43 writes where the text
/// leaves room: buckets are taken from the most significant bits of the hash downwards, and the
/// bitfield is a big-endian number without leading zero bytes.

#include "base/bytes.h"
#include "base/result.h"
#include "ipld/block.h"
#include "ipld/dag_pb.h"
#include "unixfs/data.h"
#include "unixfs/metadata.h"
#include "unixfs/profile.h"
#include "unixfs/put_node.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ic::unixfs {

/// The first 64 bits of MurmurHash3_x64_128 with seed 0: multicodec 0x22, the only hash function
/// of shards. Source: the algorithm's public-domain reference, variant x64_128.
std::uint64_t shard_hash(std::string_view name);

/// Which bucket `hash` falls into, `depth` shards below the root; nothing once its bits are used
/// up.
std::optional<std::uint64_t> bucket_of(std::uint64_t hash, std::size_t depth, std::uint64_t fanout);

/// One link of a shard: an entry of the directory, or another shard.
struct ShardLink {
    enum class Kind : std::uint8_t { entry, shard };

    std::uint64_t bucket = 0;
    Kind kind = Kind::entry;
    dag_pb::Link link{}; ///< Its name is the entry's, without the bucket; empty for a shard.
};

struct Shard {
    std::uint64_t fanout = 0;
    std::vector<ShardLink> links{}; ///< In the order of buckets, at most one a bucket.
};

/// Reads the links of a node whose message is `data`. Strict: bitfield and links must agree.
/// Errors: malformed, unsupported (hash function, fanout).
Result<Shard> decode_shard(const Data& data, std::vector<dag_pb::Link> links);

/// One entry of a directory that is written as shards. Lifetime: `name` is the caller's.
struct ShardEntry {
    std::uint64_t hash = 0;
    std::string_view name;
    Cid cid;
    std::uint64_t tsize = 0;
};

/// Writes `entries` as a tree of shards with the profile's fanout; the root carries the metadata.
/// Requires: ordered by hash, no name twice. Errors: as the sink's; unsupported if two names have
/// the same hash, which no tree of shards can hold.
Result<Written> write_shards(const Profile& profile,
                             BlockSink& sink,
                             std::span<const ShardEntry> entries,
                             const Metadata& metadata = {});

} // namespace ic::unixfs
