#pragma once
/// Data: the message in a DAG-PB node that says what the node is in UnixFS.
/// Format: https://specs.ipfs.tech/unixfs/, "Data" (field numbers 1 to 8).

#include "base/bytes.h"
#include "base/result.h"
#include "unixfs/metadata.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace ic::unixfs {

namespace limits {
/// Ours: as many as the links of one DAG-PB node may be.
inline constexpr std::size_t block_sizes_max = std::size_t{1} << 16U;
} // namespace limits

enum class DataType : std::uint8_t {
    raw = 0,
    directory = 1,
    file = 2,
    metadata = 3,
    symlink = 4,
    hamt_shard = 5,
};

/// Lifetime: the views are parts of the bytes it was decoded from.
struct Data {
    DataType type = DataType::file;
    std::optional<ByteView> data{};           ///< Content, symlink target, or a shard's bitfield.
    std::optional<std::uint64_t> file_size{}; ///< Bytes of content here and below.
    std::vector<std::uint64_t> block_sizes{}; ///< Bytes of content below each link.
    std::optional<std::uint64_t> hash_type{}; ///< Of a shard: multicodec number.
    std::optional<std::uint64_t> fanout{};    ///< Of a shard.
    std::optional<std::uint32_t> mode{};      ///< Permissions; higher bits are kept, never used.
    std::optional<UnixTime> mtime{};

    /// Mode and time as a caller wants them: without higher bits, and without a mode 0, which says
    /// that nothing is known.
    Metadata metadata() const;
};

/// Fields in the order of their numbers, block sizes unpacked, as Kubo writes them.
/// Requires: numbers < 2^63. Inverse: `decode_data`.
Bytes encode_data(const Data& data);

/// Reads exactly one message, in the one form that `encode_data` writes.
/// Errors: malformed (also for unknown fields, packed block sizes, fields out of order, a mode
///         beyond 32 bits), too_large (block sizes, varints), unsupported (type).
Result<Data> decode_data(ByteView input);

} // namespace ic::unixfs
