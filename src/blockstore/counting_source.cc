#include "blockstore/counting_source.h"

namespace ic {

Result<LentBytes> CountingSource::get(const Cid& cid) {
    Result<LentBytes> block = inner_.get(cid);
    if (block) {
        counts_.fetched(block->view().size());
    } else {
        counts_.failed(block.error());
    }
    return block;
}

} // namespace ic
