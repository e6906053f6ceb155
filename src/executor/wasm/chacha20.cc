#include "executor/wasm/chacha20.h"

#include <algorithm>
#include <bit>

namespace ic::executor::wasm {
namespace {

using State = std::array<std::uint32_t, 16>;

std::uint32_t load32(std::span<const std::uint8_t, 4> bytes) {
    return std::uint32_t{bytes[0]} | std::uint32_t{bytes[1]} << 8U |
           std::uint32_t{bytes[2]} << 16U | std::uint32_t{bytes[3]} << 24U;
}

// RFC 8439, section 2.1.
void quarter_round(State& x, std::size_t a, std::size_t b, std::size_t c, std::size_t d) {
    x[a] += x[b];
    x[d] = std::rotl(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = std::rotl(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = std::rotl(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = std::rotl(x[b] ^ x[c], 7);
}

} // namespace

// RFC 8439, section 2.3: four constants, the key, the block counter, the nonce.
ChaCha20::ChaCha20(const std::array<std::uint8_t, 32>& key) {
    state_[0] = 0x61707865;
    state_[1] = 0x3320646e;
    state_[2] = 0x79622d32;
    state_[3] = 0x6b206574;
    for (std::size_t i = 0; i < 8; ++i) {
        state_[4 + i] = load32(std::span(key).subspan(4 * i).first<4>());
    }
}

void ChaCha20::next_block() {
    State x = state_;
    for (int round = 0; round < 10; ++round) {
        quarter_round(x, 0, 4, 8, 12);
        quarter_round(x, 1, 5, 9, 13);
        quarter_round(x, 2, 6, 10, 14);
        quarter_round(x, 3, 7, 11, 15);
        quarter_round(x, 0, 5, 10, 15);
        quarter_round(x, 1, 6, 11, 12);
        quarter_round(x, 2, 7, 8, 13);
        quarter_round(x, 3, 4, 9, 14);
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
        const std::uint32_t word = x[i] + state_[i];
        for (std::size_t byte = 0; byte < 4; ++byte) {
            block_[4 * i + byte] = static_cast<std::uint8_t>(word >> (8 * byte));
        }
    }
    ++state_[12];
    used_ = 0;
}

void ChaCha20::fill(std::span<std::uint8_t> out) {
    while (!out.empty()) {
        if (used_ == block_.size()) {
            next_block();
        }
        const std::size_t count = std::min(out.size(), block_.size() - used_);
        std::copy_n(block_.begin() + static_cast<std::ptrdiff_t>(used_), count, out.begin());
        used_ += count;
        out = out.subspan(count);
    }
}

} // namespace ic::executor::wasm
