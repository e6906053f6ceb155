#pragma once
/// BlockStore: blocks by CID, kept.

#include "base/result.h"
#include "blockstore/write_session.h"
#include "ipld/block.h"

#include <cstdint>
#include <memory>

namespace ic {

struct StoreStat {
    std::uint64_t blocks = 0;
    std::uint64_t bytes = 0;
};

/// Keyed by multihash, as Kubo's: v0 and v1 of one block are one entry.
/// Threads: every call from any thread. Processes: as many as like may open one store.
class BlockStore : public BlockSource, public BlockSink {
public:
    /// Whether the block is here, at no cost but a look-up; says nothing of other sources.
    virtual Result<bool> has(const Cid& cid) = 0;

    /// Nothing put before this call returns can be lost any more, whatever crashes. What was only
    /// protected is another matter: WriteSession::confirm.
    virtual Result<void> sync() = 0;

    virtual Result<StoreStat> stat() = 0;

    /// Begins to keep what this process puts from collections. Errors: as `put`.
    virtual Result<std::unique_ptr<WriteSession>> begin_session() = 0;
};

} // namespace ic
