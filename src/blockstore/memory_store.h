#pragma once
/// MemoryStore: blocks for as long as the process lives.

#include "blockstore/blockstore.h"

#include <mutex>
#include <unordered_map>

namespace ic {

/// Threads, lifetime: as BlockStore; lent bytes outlive the store.
class MemoryStore final : public BlockStore {
public:
    Result<LentBytes> get(const Cid& cid) override;
    Result<void> put(const Cid& cid, ByteView data) override;
    Result<bool> has(const Cid& cid) override;
    Result<void> sync() override;
    Result<StoreStat> stat() override;
    Result<std::unique_ptr<WriteSession>> begin_session() override;

private:
    std::mutex mutex_;
    std::unordered_map<std::string, LentBytes> blocks_; ///< By multihash.
    std::uint64_t bytes_ = 0;
};

} // namespace ic
