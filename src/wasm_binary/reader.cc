#include "wasm_binary/reader.h"

#include "ipld/utf8.h"

#include <array>
#include <charconv>

namespace ic::wasm_binary {

std::string hex_offset(std::size_t offset) {
    std::array<char, 17> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), offset, 16).ptr;
    return "0x" + std::string(digits.data(), end);
}

Error Reader::wrong(std::string_view what) const {
    return Error{Errc::malformed, std::string(what) + " at offset " + hex_offset(offset_)};
}

Result<ByteView> Reader::take(std::size_t bytes) {
    if (bytes > bytes_.size()) {
        return wrong("the module ends too early");
    }
    const ByteView taken = bytes_.first(bytes);
    bytes_ = bytes_.subspan(bytes);
    offset_ += bytes;
    return taken;
}

Result<std::uint8_t> Reader::byte() { return TRY(take(1)).front(); }

Result<std::uint64_t> Reader::unsigned_number(unsigned bits) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        const std::uint8_t next = TRY(byte());
        const std::uint64_t group = next & 0x7fU;
        if (bits - shift < 7 && (group >> (bits - shift)) != 0) {
            return wrong("an integer is too large");
        }
        value |= group << shift;
        if ((next & 0x80U) == 0) {
            return value;
        }
    }
    return wrong("an integer is too long");
}

Result<std::int64_t> Reader::signed_number(unsigned bits) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        const std::uint8_t next = TRY(byte());
        const std::uint64_t group = next & 0x7fU;
        const unsigned left = bits - shift; // Bits of the group that count, if it is the last one.
        if (left < 7) {
            // Those above must repeat the sign.
            const std::uint64_t above = group >> (left - 1);
            if (above != 0 && above != (0x7fU >> (left - 1))) {
                return wrong("an integer is too large");
            }
        }
        value |= group << shift;
        if ((next & 0x80U) == 0) {
            const unsigned used = shift + 7;
            if (used < 64 && (next & 0x40U) != 0) {
                value |= ~std::uint64_t{0} << used;
            }
            return static_cast<std::int64_t>(value);
        }
    }
    return wrong("an integer is too long");
}

Result<std::uint32_t> Reader::u32() { return static_cast<std::uint32_t>(TRY(unsigned_number(32))); }

Result<std::uint64_t> Reader::u64() { return unsigned_number(64); }

Result<std::int64_t> Reader::s32() { return signed_number(32); }

Result<std::int64_t> Reader::s33() { return signed_number(33); }

Result<std::int64_t> Reader::s64() { return signed_number(64); }

Result<std::string_view> Reader::name() {
    const std::uint32_t bytes = TRY(u32());
    if (bytes > limits::name_bytes_max) {
        return wrong("a name is too long");
    }
    const std::string_view text = text_of(TRY(take(bytes)));
    if (!is_utf8(text)) {
        return wrong("a name is not UTF-8");
    }
    return text;
}

Result<Reader> Reader::part(std::size_t bytes) {
    const std::size_t begin = offset_;
    return Reader(TRY(take(bytes)), begin);
}

Result<std::uint32_t> Reader::count(std::size_t max, std::string_view of) {
    const std::uint32_t number = TRY(u32());
    if (number > max) {
        return wrong("more than " + std::to_string(max) + " " + std::string(of));
    }
    if (number > bytes_.size()) {
        return wrong("the module ends too early");
    }
    return number;
}

} // namespace ic::wasm_binary
