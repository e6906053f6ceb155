#include "blockstore/counting_source.h"

namespace ic {

Result<LentBytes> CountingSource::get(const Cid& cid) {
    Result<LentBytes> block = inner_.get(cid);
    if (block) {
        fetched_.add();
        bytes_.add(block->view().size());
    } else if (block.error().code == Errc::hash_mismatch) {
        refused_.add();
    } else {
        missed_.add();
    }
    return block;
}

} // namespace ic
