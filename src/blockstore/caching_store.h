#pragma once
/// CachingStore: a store that fetches what it lacks from elsewhere and keeps it.

#include "blockstore/blockstore.h"

namespace ic {

/// Reads from `local`; what is not there, or is damaged there, comes from `remote`, is verified and
/// put into `local`. Writes go to `local` alone. `has` and `stat` speak of `local` alone.
///
/// Errors of `get`: those of `remote` for a block that neither gives; those of `local` but
/// not_found and hash_mismatch. A full disk does not keep a fetched block from its reader. Threads:
/// as BlockStore, if `remote` allows it. Lifetime: both must outlive it.
class CachingStore final : public BlockStore {
public:
    CachingStore(BlockStore& local, BlockSource& remote) : local_(local), remote_(remote) {}

    Result<LentBytes> get(const Cid& cid) override;
    Result<void> put(const Cid& cid, ByteView data) override;
    Result<bool> has(const Cid& cid) override;
    Result<void> sync() override;
    Result<StoreStat> stat() override;
    /// Hints are for `remote`.
    std::size_t foresight_blocks() const override;
    void expect(const Cid& file, std::span<const UpcomingBlock> soon) override;
    void plan(const ReadPlan& plan) override;
    Result<std::unique_ptr<WriteSession>> begin_session() override;

private:
    BlockStore& local_;
    BlockSource& remote_;
};

} // namespace ic
