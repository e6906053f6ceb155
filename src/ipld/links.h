#pragma once
/// What a block links to, whatever its codec: for walks over whole DAGs.

#include "base/bytes.h"
#include "base/result.h"
#include "multiformats/cid.h"

#include <vector>

namespace ic::ipld {

/// The CIDs in the block, in the order of its bytes, repeated ones too; none for a raw block.
/// Errors: malformed, too_large (as the codec's decoder); unsupported (a codec without one).
Result<std::vector<Cid>> links_of(Codec codec, ByteView block);

} // namespace ic::ipld
