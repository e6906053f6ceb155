#pragma once
/// DAG-JSON and plain JSON: the data model as text.
/// Format: https://ipld.io/specs/codecs/dag-json/spec/, RFC 8259. Where the specification leaves
/// room, the bytes are those of go-ipld-prime v0.24, which is what Kubo 0.43 writes.

#include "base/bytes.h"
#include "base/result.h"
#include "ipld/node.h"

#include <cstddef>

namespace ic::dag_json {

namespace limits {
/// Ours, that of DAG-CBOR: what is read as one can be written as the other.
inline constexpr std::size_t depth_max = 64;
/// Ours: as `dag_cbor::limits::nodes_max`, and for the same reason.
inline constexpr std::size_t nodes_max = std::size_t{1} << 18U;
} // namespace limits

/// The one encoding of `node`: no blanks, map keys in the order of their bytes, links as
/// `{"/":"CID"}`, bytes as `{"/":{"bytes":"base64"}}` without padding, numbers as ECMAScript prints
/// them. So a float that is a whole number loses its point and is read as an integer; Kubo does the
/// same, and another text would have another CID. Bytes of text that are not UTF-8 (a link's name
/// in DAG-PB may have some) are written as `\ufffd`.
/// Requires: no duplicate keys, no NaN or infinity, depth within the limit.
/// Errors: unsupported for a map that would be read as a link or as bytes.
/// Inverse: `decode`.
Result<Bytes> encode(const ipld::Node& node);

/// Reads exactly one value, with blanks around its parts. A map whose only key is "/" is a link if
/// its value is text, bytes if its value is a map of "bytes" alone and that is text.
/// Errors: malformed (no JSON, text that is not UTF-8, a surrogate alone, a key twice, a link that
///         is no CID, base64 that is not canonical), too_large (depth, number of values, a number
///         that fits neither 64 bits nor a double), unsupported (hash function of a link).
/// Inverse: `encode`, but for blanks, the order of keys, and the spelling of numbers and text.
Result<ipld::Node> decode(ByteView input);

} // namespace ic::dag_json

namespace ic::plain_json {

/// JSON without links and bytes, as Kubo writes its codec `json`: indented by tabs, keys in the
/// order they have, a line's end after a list or map.
/// Requires: as `dag_json::encode`. Errors: unsupported for a link or bytes. Inverse: `decode`.
Result<Bytes> encode(const ipld::Node& node);

/// As `dag_json::decode`, but a map is a map whatever its keys; keeps the order of keys.
Result<ipld::Node> decode(ByteView input);

} // namespace ic::plain_json
