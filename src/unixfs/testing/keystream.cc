#include "unixfs/testing/keystream.h"

#include "multiformats/multihash.h"

#include <algorithm>
#include <bit>

namespace ic::unixfs {
namespace {

std::uint32_t word_at(ByteView bytes, std::size_t index) {
    const ByteView four = bytes.subspan(4 * index, 4);
    return std::uint32_t{four[0]} | std::uint32_t{four[1]} << 8U | std::uint32_t{four[2]} << 16U |
           std::uint32_t{four[3]} << 24U;
}

void quarter_round(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c, std::uint32_t& d) {
    a += b;
    d = std::rotl(d ^ a, 16);
    c += d;
    b = std::rotl(b ^ c, 12);
    a += b;
    d = std::rotl(d ^ a, 8);
    c += d;
    b = std::rotl(b ^ c, 7);
}

} // namespace

Keystream::Keystream(std::string_view seed) : state_{} {
    const ByteView constants = bytes_of("expand 32-byte k");
    const Sha256Digest key = sha2_256(bytes_of(seed));
    for (std::size_t index = 0; index < 4; ++index) {
        state_[index] = word_at(constants, index);
    }
    for (std::size_t index = 0; index < 8; ++index) {
        state_[4 + index] = word_at(key, index);
    }
}

void Keystream::next_block() {
    std::array<std::uint32_t, 16> x = state_;
    for (int round = 0; round < 10; ++round) {
        quarter_round(x[0], x[4], x[8], x[12]);
        quarter_round(x[1], x[5], x[9], x[13]);
        quarter_round(x[2], x[6], x[10], x[14]);
        quarter_round(x[3], x[7], x[11], x[15]);
        quarter_round(x[0], x[5], x[10], x[15]);
        quarter_round(x[1], x[6], x[11], x[12]);
        quarter_round(x[2], x[7], x[8], x[13]);
        quarter_round(x[3], x[4], x[9], x[14]);
    }
    for (std::size_t index = 0; index < 64; ++index) {
        const std::uint32_t word = x[index / 4] + state_[index / 4];
        block_[index] = static_cast<std::uint8_t>(word >> (8 * (index % 4)));
    }
    ++state_[12];
    used_ = 0;
}

void Keystream::fill(std::span<std::uint8_t> out) {
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

Bytes Keystream::take(std::size_t count) {
    Bytes bytes(count);
    fill(bytes);
    return bytes;
}

std::string Keystream::take_name(std::size_t count) {
    constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz01234567890-_";
    std::string name;
    for (const std::uint8_t byte : take(count)) {
        name.push_back(alphabet[byte % alphabet.size()]);
    }
    return name;
}

} // namespace ic::unixfs
