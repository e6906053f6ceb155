#include "unixfs/metadata.h"

namespace ic::unixfs {
namespace {

constexpr std::uint8_t seconds_tag = 1U << 3U;          // Field 1, a varint.
constexpr std::uint8_t nanoseconds_tag = 2U << 3U | 5U; // Field 2, 4 bytes.
constexpr std::size_t nanoseconds_bytes = 4;
/// Of a negative number: all 64 bits, seven a byte.
constexpr std::size_t signed_varint_bytes_max = 10;

Error malformed(const char* message) { return {Errc::malformed, message}; }

void append_signed(Bytes& out, std::int64_t value) {
    auto left = static_cast<std::uint64_t>(value);
    for (; left >= 0x80; left >>= 7U) {
        out.push_back(static_cast<std::uint8_t>(left | 0x80U));
    }
    out.push_back(static_cast<std::uint8_t>(left));
}

/// Protobuf's int64: as a varint of 64 bits, which those of multiformats are not.
Result<std::int64_t> take_signed(ByteView& input) {
    std::uint64_t value = 0;
    for (std::size_t index = 0; index < signed_varint_bytes_max && index < input.size(); ++index) {
        const std::uint8_t byte = input[index];
        if (index == signed_varint_bytes_max - 1 && byte > 1) {
            return malformed("a UnixFS time has more than 64 bits of seconds");
        }
        value |= std::uint64_t{byte & 0x7fU} << (7 * index);
        if ((byte & 0x80U) != 0) {
            continue;
        }
        if (byte == 0 && index > 0) {
            return malformed("the seconds of a UnixFS time are not the shortest encoding");
        }
        input = input.subspan(index + 1);
        return static_cast<std::int64_t>(value);
    }
    return malformed("a UnixFS time ends early");
}

} // namespace

Bytes encode_unix_time(const UnixTime& time) {
    Bytes out{seconds_tag};
    append_signed(out, time.seconds);
    if (time.nanoseconds != 0) {
        out.push_back(nanoseconds_tag);
        for (std::size_t index = 0; index < nanoseconds_bytes; ++index) {
            out.push_back(static_cast<std::uint8_t>(time.nanoseconds >> (8 * index)));
        }
    }
    return out;
}

Result<UnixTime> decode_unix_time(ByteView input) {
    if (input.empty() || input.front() != seconds_tag) {
        return malformed("a UnixFS time does not start with its seconds");
    }
    input = input.subspan(1);
    UnixTime time{.seconds = TRY(take_signed(input))};
    if (input.empty()) {
        return time;
    }
    if (input.front() != nanoseconds_tag || input.size() != 1 + nanoseconds_bytes) {
        return malformed("a UnixFS time has something after its seconds that is no nanoseconds");
    }
    for (std::size_t index = 0; index < nanoseconds_bytes; ++index) {
        time.nanoseconds |= std::uint32_t{input[1 + index]} << (8 * index);
    }
    if (time.nanoseconds == 0 || time.nanoseconds > limits::nanoseconds_max) {
        return malformed("a UnixFS time has nanoseconds that are not in 1 to 999999999");
    }
    return time;
}

} // namespace ic::unixfs
