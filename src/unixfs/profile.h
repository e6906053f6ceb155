#pragma once
/// Profile: the choices that decide which CID a file or directory gets.
/// Source: IPIP-0499 (specs.ipfs.tech/ipips/ipip-0499), tables of `unixfs-v1-2025`,
/// `unixfs-v0-2015`; the flags of `ipfs add` in Kubo 0.43.

#include "base/result.h"
#include "multiformats/cid.h"
#include "unixfs/chunker.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ic::unixfs {

namespace limits {
/// Kubo's bounds on the buckets of a shard (boxo v0.42); a power of two between them.
inline constexpr std::uint64_t shard_fanout_min = 8;
inline constexpr std::uint64_t shard_fanout_max = 1024;
/// Kubo's bound on what a CID carries itself (boxo v0.42, verifcid).
inline constexpr std::size_t inline_bytes_max = ic::limits::cid_digest_bytes_max;
} // namespace limits

/// How file content lies in the leaves: as bare bytes, or in a UnixFS message in a DAG-PB node.
enum class Leaves : std::uint8_t { raw, dag_pb };

/// How the nodes above the leaves are arranged: all leaves equally deep, or the first ones near the
/// root (trickle).
enum class Layout : std::uint8_t { balanced, trickle };

/// What of a directory is compared with the threshold above which it is sharded.
enum class DirectorySize : std::uint8_t {
    links,   ///< The sum of the bytes of names and binary CIDs.
    block,   ///< The bytes of the serialised node.
    ignored, ///< Nothing: only the number of entries counts (`directory_links_max`).
};

struct Profile {
    int cid_version = 1; ///< 0 or 1. 0 requires sha2-256; raw leaves are version 1 all the same.
    HashCode hash = HashCode::sha2_256; ///< Not identity: that is what `inline_bytes_max` is for.
    ChunkerSpec chunker{};
    Leaves leaves = Leaves::raw;
    Layout layout = Layout::balanced;
    std::size_t links_max = 1024; ///< Of one node of a file; at least 2.
    DirectorySize directory_size = DirectorySize::block;
    /// A directory of exactly this size is still one node; with 0 all are, whatever else says.
    std::size_t shard_above_bytes = 262'144;
    std::size_t directory_links_max = 0; ///< More entries are sharded; 0: any number is one node.
    std::uint64_t shard_fanout = 256;    ///< Buckets; a power of two within `limits`.
    /// Blocks of at most so many bytes become identity CIDs and are not put. Nothing: none do.
    std::optional<std::size_t> inline_bytes_max{};

    friend bool operator==(const Profile&, const Profile&) = default;
};

/// Whether a shard may have so many buckets.
constexpr bool is_shard_fanout(std::uint64_t buckets) {
    return buckets >= limits::shard_fanout_min && buckets <= limits::shard_fanout_max &&
           (buckets & (buckets - 1)) == 0;
}

/// The default of this project, and Kubo's profile of the same name.
inline constexpr Profile unixfs_v1_2025{};

/// What Kubo does without a profile: version 0 CIDs, 256 KiB chunks, 174 links a node.
inline constexpr Profile unixfs_v0_2015{
    .cid_version = 0,
    .chunker = ChunkerSpec::fixed(262'144),
    .leaves = Leaves::dag_pb,
    .links_max = 174,
    .directory_size = DirectorySize::links,
    .shard_above_bytes = 262'144,
};

/// "unixfs-v1-2025" or "unixfs-v0-2015", or what Kubo calls the latter too, "legacy-cid-v0".
/// Errors: unsupported.
Result<Profile> profile_named(std::string_view name);

} // namespace ic::unixfs
