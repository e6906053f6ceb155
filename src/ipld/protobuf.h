#pragma once
/// The little of protocol buffers that DAG-PB and UnixFS messages use: varints and runs of bytes.
/// Format: https://protobuf.dev/programming-guides/encoding/ (wire types 0 and 2).

#include "base/bytes.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>

namespace ic::protobuf {

enum class Wire : std::uint8_t { varint = 0, bytes = 2 };

/// One field. Lifetime: `bytes` is a part of the input.
struct Field {
    std::uint64_t number = 0;
    Wire wire = Wire::varint;
    std::uint64_t value = 0; ///< Of a varint.
    ByteView bytes{};        ///< Of a run of bytes.

    bool is(std::uint64_t wanted, Wire kind) const { return number == wanted && wire == kind; }
};

/// Reads one field from the front of `input` and advances past it; on error unchanged.
/// Errors: malformed (ends early, another wire type, a varint that is not the shortest), too_large
///         (a varint above 2^63 - 1).
/// Inverse: `append_varint` and `append_bytes`.
Result<Field> take_field(ByteView& input);

/// Requires: number from 1 to 15 (one byte of tag); value < 2^63.
void append_varint(Bytes& out, unsigned number, std::uint64_t value);
void append_bytes(Bytes& out, unsigned number, ByteView bytes);
/// Only the tag and the length; the caller appends `size` bytes next.
void append_head(Bytes& out, unsigned number, std::size_t size);

/// Bytes that `value` takes as a varint.
std::size_t varint_bytes(std::uint64_t value);

/// Bytes of a field of `size` bytes, tag and length included.
std::size_t field_bytes(std::size_t size);

} // namespace ic::protobuf
