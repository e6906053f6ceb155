#include "blockstore/ordered_sources.h"

#include <cassert>
#include <optional>
#include <utility>

namespace ic {

OrderedSources::OrderedSources(std::vector<std::reference_wrapper<BlockSource>> sources)
    : sources_(std::move(sources)) {
    assert(!sources_.empty());
}

Result<LentBytes> OrderedSources::get(const Cid& cid) {
    std::optional<Error> failed;
    for (BlockSource& source : sources_) {
        Result<LentBytes> block = source.get(cid);
        if (block) {
            return block;
        }
        failed = !failed ? std::move(block).take_error()
                         : Error{Errc::cid_unavailable,
                                 failed->message + ". Also: " + block.error().message};
    }
    return std::move(*failed);
}

std::size_t OrderedSources::foresight_blocks() const {
    return sources_.front().get().foresight_blocks();
}

void OrderedSources::expect(const Cid& file, std::span<const UpcomingBlock> soon) {
    sources_.front().get().expect(file, soon);
}

void OrderedSources::plan(const ReadPlan& plan) { sources_.front().get().plan(plan); }

} // namespace ic
