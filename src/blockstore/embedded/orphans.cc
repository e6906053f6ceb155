#include "blockstore/embedded/orphans.h"

#include "blockstore/embedded/block_table.h"
#include "blockstore/embedded/inspection.h"
#include "blockstore/embedded/rows.h"

#include <utility>

namespace ic::embedded {

Result<std::shared_ptr<Segment>> Orphans::lock(std::uint64_t number) {
    std::shared_ptr<Segment> segment = segments_.lock(number);
    if (segment && TRY(has_segment_row(environment_, number))) {
        segment.reset(); // Looked up under the lock: its writer may just have committed.
    }
    return segment;
}

Result<void> Orphans::visit(const std::function<Result<void>(const Orphan&)>& visitor) {
    for (const std::uint64_t number : TRY(segments_.list())) {
        Orphan orphan{.number = number, .name = to_hex(big_endian(number))};
        TRY(read(number, [&orphan](const Cid&, ByteView block) -> Result<void> {
            ++orphan.blocks;
            orphan.bytes += block.size();
            return {};
        }));
        if (orphan.blocks != 0) {
            TRY(visitor(orphan));
        }
    }
    return {};
}

Result<void> Orphans::read(std::uint64_t number,
                           const std::function<Result<void>(const Cid&, ByteView)>& visitor) {
    const std::shared_ptr<Segment> segment = TRY(lock(number));
    if (!segment) {
        return {};
    }
    for (std::optional<std::uint64_t> at = TRY(segments_.next_head(number, 0)); at;) {
        const std::optional<RecordHead> head = TRY(segments_.head_at(number, *at));
        std::uint64_t next = *at + 1; // Behind a torn or damaged block another may be whole.
        if (head) {
            const Result<Cid> cid = raw_cid_of(std::string(ic::text_of(head->key)));
            const std::optional<LentBytes> block = TRY(
                segments_.read({.segment = number, .offset = *at, .size = head->size}, head->key));
            if (cid && block && cid->verify(block->view())) {
                TRY(visitor(*cid, block->view()));
                next = *at + record_bytes(head->size);
            }
        }
        at = TRY(segments_.next_head(number, next));
    }
    return {};
}

Result<void> Orphans::remove(std::uint64_t number) {
    const std::shared_ptr<Segment> segment = TRY(lock(number));
    return segment ? segments_.remove(*segment) : Result<void>{};
}

} // namespace ic::embedded
