#pragma once
/// Keystream: content that anybody can make again from a few letters, as the fixtures of IPIP-0499
/// are made: the ChaCha20 key stream (RFC 8439) with key SHA-256(seed), nonce 0, counter from 0.

#include "base/bytes.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ic::unixfs {

class Keystream {
public:
    explicit Keystream(std::string_view seed);

    void fill(std::span<std::uint8_t> out);

    Bytes take(std::size_t count);

    /// The next `count` letters, in the alphabet of the fixtures' file names.
    std::string take_name(std::size_t count);

private:
    void next_block();

    std::array<std::uint32_t, 16> state_;
    std::array<std::uint8_t, 64> block_{};
    std::size_t used_ = 64;
};

} // namespace ic::unixfs
