#pragma once
/// CountingSource: a source whose blocks are counted; BlockCounts: how they are.

#include "ipld/block.h"
#include "metrics/registry.h"

#include <cstddef>
#include <string_view>

namespace ic {

/// What became of the blocks that were asked for elsewhere, under `source`, a label of the
/// catalogue. Threads: any. Lifetime: of `counts`.
class BlockCounts {
public:
    BlockCounts(metrics::Registry& counts, std::string_view source)
        : fetched_(counts.number(metrics::Metric::blocks_fetched, source))
        , bytes_(counts.number(metrics::Metric::block_bytes_fetched, source))
        , missed_(counts.number(metrics::Metric::blocks_missed, source))
        , refused_(counts.number(metrics::Metric::blocks_refused, source)) {}

    void fetched(std::size_t bytes) {
        fetched_.add();
        bytes_.add(bytes);
    }

    /// It was not to be had, or was another one.
    void failed(const Error& error) {
        (error.code == Errc::hash_mismatch ? refused_ : missed_).add();
    }

private:
    metrics::Number& fetched_;
    metrics::Number& bytes_;
    metrics::Number& missed_;
    metrics::Number& refused_;
};

/// Gives what `inner` gives, and counts it.
/// Threads: as `inner`. Lifetime: both must outlive it.
class CountingSource final : public BlockSource {
public:
    CountingSource(BlockSource& inner, metrics::Registry& counts, std::string_view source)
        : inner_(inner)
        , counts_(counts, source) {}

    Result<LentBytes> get(const Cid& cid) override;

    std::size_t foresight_blocks() const override { return inner_.foresight_blocks(); }

    void expect(const Cid& file, std::span<const UpcomingBlock> soon) override {
        inner_.expect(file, soon);
    }

    void plan(const ReadPlan& plan) override { inner_.plan(plan); }

private:
    BlockSource& inner_;
    BlockCounts counts_;
};

} // namespace ic
