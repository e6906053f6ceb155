#pragma once
/// Profile: the choices that decide which CID a file or directory gets.
/// Source: IPIP-0499 (specs.ipfs.tech/ipips/ipip-0499), tables of `unixfs-v1-2025`,
/// `unixfs-v0-2015`.

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ic::unixfs {

/// How file content lies in the leaves: as bare bytes, or in a UnixFS message in a DAG-PB node.
enum class Leaves : std::uint8_t { raw, dag_pb };

/// What of a directory is compared with the threshold above which it is sharded.
enum class DirectorySize : std::uint8_t {
    links, ///< The sum of the bytes of names and binary CIDs.
    block, ///< The bytes of the serialised node.
};

struct Profile {
    int cid_version = 1; ///< 0 or 1. 0 requires dag_pb leaves.
    std::size_t chunk_bytes = std::size_t{1} << 20U;
    Leaves leaves = Leaves::raw;
    std::size_t links_max = 1024; ///< Of one node of a file; at least 2.
    DirectorySize directory_size = DirectorySize::block;
    std::size_t shard_above_bytes =
        262'144; ///< A directory of exactly this size is still one node.

    friend bool operator==(const Profile&, const Profile&) = default;
};

/// The default of this project, and Kubo's profile of the same name.
inline constexpr Profile unixfs_v1_2025{};

/// What Kubo does without a profile: version 0 CIDs, 256 KiB chunks, 174 links a node.
inline constexpr Profile unixfs_v0_2015{
    .cid_version = 0,
    .chunk_bytes = 262'144,
    .leaves = Leaves::dag_pb,
    .links_max = 174,
    .directory_size = DirectorySize::links,
    .shard_above_bytes = 262'144,
};

/// "unixfs-v1-2025" or "unixfs-v0-2015". Errors: unsupported.
Result<Profile> profile_named(std::string_view name);

} // namespace ic::unixfs
