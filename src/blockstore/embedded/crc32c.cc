#include "blockstore/embedded/crc32c.h"

#include <array>

namespace ic::embedded {
namespace {

constexpr std::uint32_t polynomial = 0x82f63b78; // 0x1edc6f41 with its bits in the other order.

constexpr std::array<std::uint32_t, 256> make_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value >> 1U) ^ ((value & 1U) != 0 ? polynomial : 0);
        }
        table[byte] = value;
    }
    return table;
}

constexpr std::array<std::uint32_t, 256> table = make_table();

} // namespace

std::uint32_t crc32c(ByteView bytes, std::uint32_t before) {
    std::uint32_t value = ~before;
    for (const std::uint8_t byte : bytes) {
        value = (value >> 8U) ^ table[(value ^ byte) & 0xffU];
    }
    return ~value;
}

} // namespace ic::embedded
