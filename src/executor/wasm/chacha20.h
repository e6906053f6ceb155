#pragma once
/// ChaCha20 as a source of reproducible bytes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ic::executor::wasm {

/// The key stream of ChaCha20 (RFC 8439, section 2.4) with a nonce of zeros, from block 0 on: what
/// a pure guest gets as randomness. docs/formats/abi.md fixes it, since results depend on it.
class ChaCha20 {
public:
    explicit ChaCha20(const std::array<std::uint8_t, 32>& key);

    /// The next bytes of the stream. After 256 GiB the stream begins again.
    void fill(std::span<std::uint8_t> out);

private:
    void next_block();

    std::array<std::uint32_t, 16> state_{};
    std::array<std::uint8_t, 64> block_{};
    std::size_t used_ = 64;
};

} // namespace ic::executor::wasm
