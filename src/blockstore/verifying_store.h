#pragma once
/// VerifyingStore: nothing leaves it that is not what its CID says.

#include "blockstore/blockstore.h"

#include <array>
#include <cstdint>
#include <mutex>
#include <vector>

namespace ic {

namespace limits {
/// Ours: how many blocks a VerifyingStore remembers as verified, 32 bytes each (512 KiB in all).
inline constexpr std::size_t verified_blocks_max = std::size_t{16} << 10U;
} // namespace limits

/// Checks each block against its CID when it is first read in this process, and again when it has
/// been forgotten: the memory is a table of `limits::verified_blocks_max` whole SHA-256 digests, a
/// later block taking the place of an earlier one. Other hash functions are checked each time.
///
/// So a block that the disk changes after its first reading is not noticed in this process. The
/// inner store compares on `put`, so that a damaged block is replaced by a good one.
///
/// Errors: hash_mismatch from `get`; else the inner store's.
/// Threads: as BlockStore. Lifetime: the inner store must outlive it.
class VerifyingStore final : public BlockStore {
public:
    explicit VerifyingStore(BlockStore& inner) : inner_(inner) {}

    Result<LentBytes> get(const Cid& cid) override;
    /// Does not hash: its caller has computed the CID from these bytes (BlockSink).
    Result<void> put(const Cid& cid, ByteView data) override;
    Result<bool> has(const Cid& cid) override;
    Result<void> sync() override;
    Result<StoreStat> stat() override;
    Result<std::unique_ptr<WriteSession>> begin_session() override;

private:
    using Digest = std::array<std::uint8_t, 32>;

    bool is_verified(const Digest& digest);
    void remember(const Digest& digest);

    BlockStore& inner_;
    std::mutex mutex_;
    std::vector<Digest> verified_; ///< Empty until the first block is verified.
};

} // namespace ic
