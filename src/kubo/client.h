#pragma once
/// Single calls to a Kubo whose address may be another one each time; who makes many has an Rpc.

#include "base/bytes.h"
#include "base/result.h"
#include "multiformats/cid.h"

#include <chrono>
#include <string>

namespace ic::kubo {

/// `block/get`. `url` as `api_url` gives it. Kubo looks for the block on its network for
/// `time_max`; an answer that is longer than a block is cut off. Errors: unavailable if nobody
/// answers at `url`; cid_unavailable if Kubo does not have it or does
///         not find it in time; refused if it wants a token; too_large.
/// The bytes are not verified. Threads: any. Blocks.
Result<Bytes> block_get(const std::string& url, const Cid& cid, std::chrono::milliseconds time_max);

/// `version`: what answers at `url`, such as "0.43.0". Errors: unavailable if nobody does in time;
/// refused if it wants a token; malformed if it is no Kubo. Threads: any. Blocks.
Result<std::string> version(const std::string& url, std::chrono::milliseconds time_max);

} // namespace ic::kubo
