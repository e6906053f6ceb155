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
/// Ours: a value takes about 72 bytes here and may take one in the input, so this bounds a decoded
/// document to some 20 MiB whatever was sent.
inline constexpr std::size_t nodes_max = std::size_t{1} << 18U;
} // namespace limits

/// The one encoding of `node`: shortest integers, 64-bit floats, map keys by length then bytes, tag
/// 42 for links. A scalar is at depth 0, an empty list or map at depth 1.
/// Requires: no NaN or infinity, no duplicate keys, depth within the limit, and text in UTF-8 (see
/// `repaired_utf8` for text that others wrote). Inverse: `decode`.
Bytes encode(const ipld::Node& node);

/// Reads exactly one canonical value. Errors: malformed (not canonical, indefinite lengths, other
/// tags, duplicate or unordered keys, text that is not UTF-8, bytes left over), too_large (depth,
/// number of values, an integer below -2^63), unsupported (hash function of a link).
/// Inverse: `encode`.
Result<ipld::Node> decode(ByteView input);

} // namespace ic::dag_cbor
