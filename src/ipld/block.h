#pragma once
/// Blocks, and where they come from and go to.

#include "base/bytes.h"
#include "base/result.h"
#include "multiformats/cid.h"

namespace ic {

namespace limits {
/// Kubo's and bitswap's bound on one block (boxo v0.42: 2 MiB).
inline constexpr std::size_t block_bytes_max = std::size_t{2} << 20U;
} // namespace limits

/// A CID and the bytes it names. Whoever makes one has verified it.
struct Block {
    Cid cid;
    LentBytes data;
};

/// Gives the bytes of a CID, verified. Errors: not_found, cid_unavailable, hash_mismatch,
/// unavailable. Threads: as the implementation says; the pure readers call it from one thread.
class BlockSource {
public:
    virtual ~BlockSource() = default;
    virtual Result<LentBytes> get(const Cid& cid) = 0;
};

/// The bytes of `cid`: those an identity CID carries itself, any others from `source`.
/// Errors: as the source gives them; too_large above `limits::block_bytes_max`.
Result<LentBytes> fetch(BlockSource& source, const Cid& cid);

/// Takes blocks whose CID was computed from their bytes by the caller.
class BlockSink {
public:
    virtual ~BlockSink() = default;
    /// The bytes are the caller's again after the call. Errors: storage_full, unavailable.
    virtual Result<void> put(const Cid& cid, ByteView data) = 0;
};

/// Keeps nothing: for learning a CID alone.
class NullSink final : public BlockSink {
public:
    Result<void> put(const Cid&, ByteView) override { return {}; }
};

} // namespace ic
