#include "ipld/protobuf.h"

#include "multiformats/varint.h"

#include <bit>
#include <cassert>

namespace ic::protobuf {

Result<Field> take_field(ByteView& input) {
    ByteView rest = input;
    const std::uint64_t tag = TRY(take_varint(rest));
    Field field{.number = tag >> 3U, .wire = Wire{static_cast<std::uint8_t>(tag & 7U)}};
    if (field.number == 0) {
        return Error{Errc::malformed, "protobuf field has the number 0"};
    }
    const std::uint64_t argument = TRY(take_varint(rest));
    switch (field.wire) {
    case Wire::varint:
        field.value = argument;
        break;
    case Wire::bytes:
        if (argument > rest.size()) {
            return Error{Errc::malformed, "protobuf field ends early"};
        }
        field.bytes = rest.first(static_cast<std::size_t>(argument));
        rest = rest.subspan(field.bytes.size());
        break;
    default:
        return Error{Errc::malformed, "protobuf field has a wire type that is not used here"};
    }
    input = rest;
    return field;
}

void append_varint(Bytes& out, unsigned number, std::uint64_t value) {
    assert(number >= 1 && number <= 15);
    ic::append_varint(out, number << 3U | static_cast<unsigned>(Wire::varint));
    ic::append_varint(out, value);
}

void append_head(Bytes& out, unsigned number, std::size_t size) {
    assert(number >= 1 && number <= 15);
    ic::append_varint(out, number << 3U | static_cast<unsigned>(Wire::bytes));
    ic::append_varint(out, size);
}

void append_bytes(Bytes& out, unsigned number, ByteView bytes) {
    append_head(out, number, bytes.size());
    out.insert(out.end(), bytes.begin(), bytes.end());
}

std::size_t varint_bytes(std::uint64_t value) {
    return value == 0 ? 1 : (static_cast<std::size_t>(std::bit_width(value)) + 6) / 7;
}

std::size_t field_bytes(std::size_t size) { return 1 + varint_bytes(size) + size; }

} // namespace ic::protobuf
