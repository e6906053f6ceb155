#pragma once
/// `submit --dry-run`: a job looked at as if it were submitted.

#include "blockstore/memory_store.h"
#include "cli/context.h"
#include "job/invocation.h"

#include <cstdint>
#include <memory>

namespace ic::cli {

/// Reads `under` and writes nothing to it: what is put stays in memory, up to 256 MiB of it, and is
/// forgotten beyond that. Threads, lifetime: as BlockStore; `under` outlives it.
class ScratchStore final : public BlockStore {
public:
    explicit ScratchStore(BlockStore& under) : under_(under) {}

    Result<LentBytes> get(const Cid& cid) override;
    Result<void> put(const Cid& cid, ByteView data) override;
    Result<bool> has(const Cid& cid) override;
    Result<void> sync() override;
    Result<StoreStat> stat() override;
    Result<std::unique_ptr<WriteSession>> begin_session() override;

private:
    BlockStore& under_;
    MemoryStore put_here_;
};

/// Prints what would be submitted. `store` says whether the module is here.
Result<void>
print_dry_run(Context& context, BlockStore& store, const job::SignedInvocation& invocation);

} // namespace ic::cli
