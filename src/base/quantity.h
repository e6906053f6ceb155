#pragma once
/// Quantities as people write them on a command line: "30s", "256MiB".

#include "base/result.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace ic {

/// A whole number and a unit: ms, s, m, h, d; a bare number is seconds. Not negative.
/// Errors: usage (with the forms that are understood), too_large (beyond 292 years).
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// A whole number and a unit: B, KiB, MiB, GiB, TiB (1024) or kB, MB, GB, TB (1000); a bare number
/// is bytes. Errors: usage, too_large (beyond 2^63 - 1).
Result<std::uint64_t> parse_bytes(std::string_view text);

/// "1.8 ms", "12 s", "3 min 5 s": what people are shown.
std::string human_duration(std::chrono::microseconds duration);

} // namespace ic
