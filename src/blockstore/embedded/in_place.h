#pragma once
/// read_in_place: blocks that stay in files which are not the store's.

#include "base/bytes.h"
#include "base/result.h"
#include "blockstore/embedded/records.h"

namespace ic::embedded {

/// The block at `place`, whose multihash is `key`; it is hashed each time, since whoever keeps the
/// file may write to it. Errors, each with the file, the place in it and what to do: not_found (no
/// such file), hash_mismatch (it holds something else there, or ends before), refused, unavailable.
Result<LentBytes> read_in_place(const FilePlace& place, ByteView key);

} // namespace ic::embedded
