#pragma once
/// Reader: the numbers, names and vectors that a WebAssembly binary is made of, with their place.
/// Source: WebAssembly core specification 2.0, section 5.2.

#include "base/bytes.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ic::wasm_binary {

namespace limits {
/// Wasmtime's (wasmparser, limits.rs): a longer name is refused by the engine too.
inline constexpr std::size_t name_bytes_max = 100'000;
} // namespace limits

/// Reads from the front of bytes. After an error nothing more may be read.
/// Errors of every member: malformed, with the offset in the module.
/// Lifetime: the bytes outlive it and what it gives.
class Reader {
public:
    /// `offset` is where `bytes` begin in the module.
    explicit Reader(ByteView bytes, std::size_t offset = 0) : bytes_(bytes), offset_(offset) {}

    bool at_end() const { return bytes_.empty(); }

    std::size_t left() const { return bytes_.size(); }

    /// In the module.
    std::size_t offset() const { return offset_; }

    ByteView rest() const { return bytes_; }

    Result<std::uint8_t> byte();
    /// The next byte, which stays. Requires: not at the end.
    std::uint8_t peek() const { return bytes_.front(); }

    /// LEB128 of at most so many bits; padded forms are allowed, as the specification says.
    Result<std::uint32_t> u32();
    Result<std::uint64_t> u64();
    Result<std::int64_t> s32();
    Result<std::int64_t> s33();
    Result<std::int64_t> s64();

    Result<ByteView> take(std::size_t bytes);
    /// UTF-8.
    Result<std::string_view> name();
    /// A reader of the next `bytes` bytes, which are skipped here.
    Result<Reader> part(std::size_t bytes);
    /// A count of things, each of at least one byte, at most `max`: it never exceeds what is left.
    Result<std::uint32_t> count(std::size_t max, std::string_view of);

    /// malformed: "... at offset 0x1f".
    Error wrong(std::string_view what) const;

private:
    Result<std::uint64_t> unsigned_number(unsigned bits);
    Result<std::int64_t> signed_number(unsigned bits);

    ByteView bytes_;
    std::size_t offset_;
};

/// "0x1f".
std::string hex_offset(std::size_t offset);

} // namespace ic::wasm_binary
