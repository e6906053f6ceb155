#pragma once
/// OrderedSources: one source after another, until one has the block.

#include "ipld/block.h"

#include <functional>
#include <vector>

namespace ic {

/// Asks each source in turn. Hints go to the first alone.
/// Errors: of one source, as it is; of several, cid_unavailable with what each said.
/// Threads: as the sources. Lifetime: they outlive it.
class OrderedSources final : public BlockSource {
public:
    /// Requires: at least one.
    explicit OrderedSources(std::vector<std::reference_wrapper<BlockSource>> sources);

    Result<LentBytes> get(const Cid& cid) override;
    std::size_t foresight_blocks() const override;
    void expect(const Cid& file, std::span<const UpcomingBlock> soon) override;
    void plan(const ReadPlan& plan) override;

private:
    std::vector<std::reference_wrapper<BlockSource>> sources_;
};

} // namespace ic
