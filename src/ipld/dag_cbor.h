#pragma once
/// DAG-CBOR: the strict, canonical subset of CBOR that IPLD documents are written in.
/// Format: https://ipld.io/specs/codecs/dag-cbor/spec/ (RFC 8949 section 4.2.1 for the order).

#include "base/bytes.h"
#include "base/result.h"
#include "ipld/node.h"

namespace ic::dag_cbor {

namespace limits {
/// Ours: documents here are a few levels deep; the recursion of encoder and decoder stays bounded.
inline constexpr std::size_t depth_max = 64;
} // namespace limits

/// The one encoding of `node`: shortest integers, 64-bit floats, map keys by length then bytes, tag
/// 42 for links. Requires: no NaN or infinity, no duplicate keys, depth within the limit.
/// Inverse: `decode`.
Bytes encode(const ipld::Node& node);

/// Reads exactly one canonical value. Errors: malformed (not canonical, indefinite lengths, other
/// tags, duplicate or unordered keys, text that is not UTF-8, bytes left over), too_large (depth).
Result<ipld::Node> decode(ByteView input);

} // namespace ic::dag_cbor
