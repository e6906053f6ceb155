#pragma once
/// What a block links to, whatever its codec: for walks over whole DAGs.

#include "base/bytes.h"
#include "base/result.h"
#include "multiformats/cid.h"

#include <vector>

namespace ic::ipld {

/// The CIDs in the block, in the order of its bytes, repeated ones too, which is the order in which
/// Kubo exports what they lead to; none for a raw block and for the codecs `cbor` and `json`.
/// Errors: malformed, too_large (as the codec's decoder); unsupported (a codec without one).
Result<std::vector<Cid>> links_of(Codec codec, ByteView block);

} // namespace ic::ipld
