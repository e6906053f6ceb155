#pragma once
/// Blocks as values of the data model, whatever their codec.

#include "base/bytes.h"
#include "base/result.h"
#include "ipld/node.h"
#include "multiformats/cid.h"

namespace ic::ipld {

/// What a block says. A raw block is bytes; DAG-PB is as `dag_pb::to_model` has it.
/// Errors: as the codec's decoder; unsupported for a codec that this project cannot read.
/// Inverse: `encode_as`, for blocks that are canonical.
Result<Node> decode_as(Codec codec, ByteView block);

/// The block that says `node`.
/// Errors: unsupported for what the codec cannot say (a raw block is bytes and nothing else, `cbor`
///         and `json` have no links, `json` has no bytes), or for the codec itself; as
///         `dag_pb::from_model`; malformed for text that is not UTF-8 in CBOR.
Result<Bytes> encode_as(Codec codec, const Node& node);

} // namespace ic::ipld
