#pragma once
/// CountingSource: a source whose blocks are counted.

#include "ipld/block.h"
#include "metrics/registry.h"

#include <string_view>

namespace ic {

/// Gives what `inner` gives, and counts it under `source`, a label of the catalogue.
/// Threads: as `inner`. Lifetime: both must outlive it.
class CountingSource final : public BlockSource {
public:
    CountingSource(BlockSource& inner, metrics::Registry& counts, std::string_view source)
        : inner_(inner)
        , fetched_(counts.number(metrics::Metric::blocks_fetched, source))
        , bytes_(counts.number(metrics::Metric::block_bytes_fetched, source))
        , missed_(counts.number(metrics::Metric::blocks_missed, source))
        , refused_(counts.number(metrics::Metric::blocks_refused, source)) {}

    Result<LentBytes> get(const Cid& cid) override;

    std::size_t foresight_blocks() const override { return inner_.foresight_blocks(); }

    void expect(const Cid& file, std::span<const UpcomingBlock> soon) override {
        inner_.expect(file, soon);
    }

    void plan(const ReadPlan& plan) override { inner_.plan(plan); }

private:
    BlockSource& inner_;
    metrics::Number& fetched_;
    metrics::Number& bytes_;
    metrics::Number& missed_;
    metrics::Number& refused_;
};

} // namespace ic
