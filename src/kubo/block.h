#pragma once
/// `block/...`: single blocks of a Kubo. For many at once `dag/import` and a gateway are several
/// times faster.

#include "base/bytes.h"
#include "base/result.h"
#include "kubo/reach.h"
#include "kubo/rpc.h"
#include "multiformats/cid.h"

#include <cstdint>
#include <optional>

namespace ic::kubo {

namespace limits {
/// Kubo's bound on one block, which is ours (`ic::limits::block_bytes_max`); ipld is not seen here.
inline constexpr std::size_t block_bytes_max = std::size_t{2} << 20U;
} // namespace limits

/// `block/get`. The bytes are not verified. Errors beside those of Rpc: cid_unavailable if Kubo
/// does not have it, or does not find it in time.
Result<Bytes> block_get(Rpc& rpc, const Cid& cid, const Reach& reach, Stop stop = {});

/// `block/put`, not pinned. Errors beside those of Rpc: unsupported for a codec or hash that Kubo
/// has no name for; hash_mismatch if Kubo names the block otherwise; too_large.
Result<void> block_put(Rpc& rpc, const Cid& cid, ByteView data, Stop stop = {});

/// `block/stat`: the size of a block that this Kubo has; nothing if it does not.
Result<std::optional<std::uint64_t>> block_size(Rpc& rpc, const Cid& cid, Stop stop = {});

} // namespace ic::kubo
