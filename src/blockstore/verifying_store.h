#pragma once
/// VerifyingStore: nothing leaves it that is not what its CID says.

#include "blockstore/blockstore.h"

#include <array>
#include <cstdint>
#include <mutex>
#include <vector>

namespace ic {

namespace limits {
/// Ours: how many blocks a VerifyingStore remembers as verified, 33 bytes each (528 KiB in all).
inline constexpr std::size_t verified_blocks_max = std::size_t{16} << 10U;
} // namespace limits

/// Checks each block against its CID when it is first read in this process, and again when it has
/// been forgotten: the memory is a table of `limits::verified_blocks_max` hash functions with the
/// first 32 bytes of a digest (as hard to forge as SHA-256), a later block taking the place of an
/// earlier one.
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
    /// What a block is remembered by. All zero: nothing, since 0 is identity, which is not kept.
    struct Mark {
        std::uint8_t function = 0;
        std::array<std::uint8_t, 32> digest{};

        friend bool operator==(const Mark&, const Mark&) = default;
    };

    static Mark mark_of(const Cid& cid);
    static std::size_t slot_of(const Mark& mark);
    bool is_verified(const Mark& mark);
    void remember(const Mark& mark);

    BlockStore& inner_;
    std::mutex mutex_;
    std::vector<Mark> verified_; ///< Empty until the first block is verified.
};

} // namespace ic
