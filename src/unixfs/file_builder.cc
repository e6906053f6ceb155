#include "unixfs/file_builder.h"

#include "unixfs/put_node.h"

#include <optional>

namespace ic::unixfs {

FileBuilder::FileBuilder(const Profile& profile, BlockSink& sink, const Metadata& metadata)
    : maker_(profile, metadata)
    , dag_(profile, metadata, sink)
    , chunker_(profile.chunker)
    , sink_(sink)
    , may_be_only_(!metadata.empty() && profile.layout == Layout::balanced) {}

Result<void> FileBuilder::write(ByteView bytes) {
    while (!bytes.empty()) {
        const std::optional<std::size_t> end = chunker_.find_end(bytes);
        const ByteView here = bytes.first(end.value_or(bytes.size()));
        bytes = bytes.subspan(here.size());
        if (end && chunk_.empty()) {
            TRY(put_chunk(here));
            continue;
        }
        chunk_.insert(chunk_.end(), here.begin(), here.end());
        if (end) {
            TRY(put_chunk(chunk_));
            chunk_.clear();
        }
    }
    return {};
}

Result<Entry> FileBuilder::finish() {
    if (!chunk_.empty()) {
        TRY(put_chunk(chunk_));
        chunk_.clear();
    }
    if (first_) {
        TRY(put_leaf(maker_.make_only(*first_, leaf_)));
    }
    return dag_.finish();
}

Result<void> FileBuilder::put_chunk(ByteView chunk) {
    if (may_be_only_ && !first_) {
        first_ = copy_of(chunk);
        return {};
    }
    if (first_) {
        TRY(put_leaf(maker_.make(*first_, leaf_)));
        first_.reset();
        may_be_only_ = false;
    }
    return put_leaf(maker_.make(chunk, leaf_));
}

Result<void> FileBuilder::put_leaf(const Leaf& leaf) {
    TRY(put_block(sink_, leaf.part.cid, leaf.block));
    return dag_.add(leaf.part);
}

} // namespace ic::unixfs
