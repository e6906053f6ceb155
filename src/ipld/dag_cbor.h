#pragma once
/// DAG-CBOR: the strict, canonical subset of CBOR that IPLD documents are written in.
/// Format: https://ipld.io/specs/codecs/dag-cbor/spec/ (RFC 8949 section 4.2.1 for the order).

#include "base/bytes.h"
#include "base/result.h"
#include "ipld/node.h"
#include "multiformats/cid.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ic::dag_cbor {

namespace limits {
/// Ours: documents here are a few levels deep; the recursion of encoder and decoder stays bounded.
inline constexpr std::size_t depth_max = 64;
/// Ours: a value takes about 72 bytes here and may take one in the input, so this bounds a decoded
/// document to some 20 MiB whatever was sent.
inline constexpr std::size_t nodes_max = std::size_t{1} << 18U;
/// go-ipld-prime's bound for what it decodes (v0.24); `links` takes 8 bytes a level.
inline constexpr std::size_t scan_depth_max = 1024;
} // namespace limits

/// The order of map keys. Only the canonical one is DAG-CBOR; Kubo's codec `cbor` keeps keys as
/// they were given and is the same otherwise, but that it has no links.
enum class KeyOrder : std::uint8_t { canonical, as_given };

/// The one encoding of `node`: shortest integers, 64-bit floats, map keys by length then bytes, tag
/// 42 for links. A scalar is at depth 0, an empty list or map at depth 1.
/// Requires: no NaN or infinity, no duplicate keys, depth within the limit, and text in UTF-8 (see
/// `repaired_utf8` for text that others wrote). Inverse: `decode`.
Bytes encode(const ipld::Node& node, KeyOrder order = KeyOrder::canonical);

/// Reads exactly one canonical value. Errors: malformed (not canonical, indefinite lengths, other
/// tags, duplicate or unordered keys, text that is not UTF-8, bytes left over), too_large (depth,
/// number of values, an integer below -2^63), unsupported (hash function of a link).
/// Inverse: `encode`.
Result<ipld::Node> decode(ByteView input, KeyOrder order = KeyOrder::canonical);

/// The links of one value, in the order in which they stand. Tolerates what Kubo's decoder does and
/// `decode` does not (keys in any order, integers that are not the shortest, small floats), since
/// who copies a DAG has to follow every block that is about; builds nothing but the list.
/// Errors: malformed (no CBOR, indefinite lengths, other tags, bytes left over), too_large (nested
///         deeper than `limits::scan_depth_max`), unsupported (hash function of a link).
Result<std::vector<Cid>> links(ByteView input);

} // namespace ic::dag_cbor
