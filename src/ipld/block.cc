#include "ipld/block.h"

namespace ic {

Result<LentBytes> fetch(BlockSource& source, const Cid& cid) {
    if (cid.hash() == HashCode::identity) {
        return LentBytes::of(copy_of(cid.digest()));
    }
    LentBytes block = TRY(source.get(cid));
    if (block.size() > limits::block_bytes_max) {
        return Error{Errc::too_large, "block " + cid.to_string() + " has more than 2 MiB"};
    }
    return block;
}

} // namespace ic
