#pragma once
/// Single calls to a Kubo whose address may be another one each time; who makes many has an Rpc.

#include "base/result.h"

#include <chrono>
#include <string>

namespace ic::kubo {

/// `version`: what answers at `url`, such as "0.43.0". Errors: unavailable if nobody does in time;
/// refused if it wants a token; malformed if it is no Kubo. Threads: any. Blocks.
Result<std::string> version(const std::string& url, std::chrono::milliseconds time_max);

} // namespace ic::kubo
