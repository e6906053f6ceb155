#pragma once
/// DAG-PB as a value of the data model: how `dag get` shows a node, and how `dag put` takes one.
/// Format: https://ipld.io/specs/codecs/dag-pb/spec/, "Logical Format".

#include "base/bytes.h"
#include "base/result.h"
#include "ipld/node.h"

namespace ic::dag_pb {

/// `{"Data": bytes, "Links": [{"Hash": link, "Name": text, "Tsize": integer}, ...]}`, where Data,
/// Name and Tsize are null if the block has none, as Kubo shows it. Names are the bytes that stand
/// in the block, whether they are UTF-8 or not. Errors: as `decode`. Inverse: `from_model`.
Result<ipld::Node> to_model(ByteView block);

/// The block of such a value; what is null may be missing as well. Links are sorted by name, those
/// of one name stay in order: so does go-codec-dagpb. Errors: malformed (other keys, other kinds of
/// values, no Links, a link without Hash, a negative Tsize, one of 2^63 or more), too_large
/// (links). Inverse: `to_model`.
Result<Bytes> from_model(const ipld::Node& node);

} // namespace ic::dag_pb
