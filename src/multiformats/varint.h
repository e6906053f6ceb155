#pragma once
/// Unsigned varints, the integers of every multiformat.
/// Format: https://github.com/multiformats/unsigned-varint

#include "base/bytes.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>

namespace ic {

namespace limits {
/// 9 groups of 7 bits: no value above 2^63 - 1 is ever read. Spec, "Practical maximum".
inline constexpr std::size_t varint_bytes_max = 9;
} // namespace limits

/// Reads one varint from the front of `input` and advances `input` past it.
///
/// Errors: malformed if the input ends early or the encoding is not the shortest one;
///         too_large after `limits::varint_bytes_max` bytes. On error `input` is unchanged.
/// Inverse: `append_varint`.
Result<std::uint64_t> take_varint(ByteView& input);

/// Appends the shortest encoding of `value`, 1 to 9 bytes. Requires: value < 2^63.
void append_varint(Bytes& out, std::uint64_t value);

} // namespace ic
