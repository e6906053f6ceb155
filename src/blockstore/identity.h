#pragma once
/// CIDs that carry their content in themselves. Every store answers them without looking.

#include "base/bytes.h"
#include "multiformats/cid.h"

namespace ic {

inline bool is_identity(const Cid& cid) { return cid.hash() == HashCode::identity; }

/// What the CID carries. Requires: `is_identity(cid)`.
inline LentBytes content_of(const Cid& cid) { return LentBytes::of(copy_of(cid.digest())); }

} // namespace ic
