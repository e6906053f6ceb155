#pragma once
/// Orphans: segments that the tables do not name, and what is in them. For this folder's sources.

#include "blockstore/embedded/embedded_store.h"
#include "blockstore/embedded/environment.h"
#include "blockstore/embedded/segments.h"

#include <functional>

namespace ic::embedded {

/// A crash leaves one whose blocks nobody was told are here; tables that were lost leave all.
/// Segments that some process appends to are nobody's to judge and are left out.
/// Threads: any.
class Orphans {
public:
    Orphans(Environment& environment, SegmentFiles& segments)
        : environment_(environment)
        , segments_(segments) {}

    /// Each that has a whole block. Errors: the visitor's; as reading.
    Result<void> visit(const std::function<Result<void>(const Orphan&)>& visitor);

    /// Every whole block of one; what is torn or was given back is passed over. Nothing if it is
    /// none (any more). Errors: the visitor's; as reading.
    Result<void> read(std::uint64_t number,
                      const std::function<Result<void>(const Cid&, ByteView)>& visitor);

    /// Removes one, unless it is none (any more).
    Result<void> remove(std::uint64_t number);

private:
    /// Locked, so that it stays one; nothing if it is none.
    Result<std::shared_ptr<Segment>> lock(std::uint64_t number);

    Environment& environment_;
    SegmentFiles& segments_;
};

} // namespace ic::embedded
