#include "ipld/utf8.h"

#include <cstddef>
#include <cstdint>

namespace ic {
namespace {

/// What may follow a first byte: how many bytes, and the range of the second one. The ranges are
/// what keeps out long forms, surrogates and what is above U+10FFFF; all later bytes are 80..bf.
struct Tail {
    std::size_t count;
    std::uint8_t second_min = 0x80;
    std::uint8_t second_max = 0xbf;
};

Tail tail_of(std::uint8_t first) {
    if (first < 0x80) {
        return {0};
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return {1};
    }
    if (first == 0xe0) {
        return {.count = 2, .second_min = 0xa0};
    }
    if (first == 0xed) {
        return {.count = 2, .second_max = 0x9f};
    }
    if (first >= 0xe1 && first <= 0xef) {
        return {2};
    }
    if (first == 0xf0) {
        return {.count = 3, .second_min = 0x90};
    }
    if (first == 0xf4) {
        return {.count = 3, .second_max = 0x8f};
    }
    if (first >= 0xf1 && first <= 0xf3) {
        return {3};
    }
    return {.count = 1, .second_min = 1, .second_max = 0}; // No second byte will do.
}

} // namespace

bool is_utf8(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const Tail tail = tail_of(static_cast<std::uint8_t>(text[at]));
        ++at;
        for (std::size_t index = 0; index < tail.count; ++index, ++at) {
            if (at == text.size()) {
                return false;
            }
            const auto byte = static_cast<std::uint8_t>(text[at]);
            const std::uint8_t low = index == 0 ? tail.second_min : 0x80;
            const std::uint8_t high = index == 0 ? tail.second_max : 0xbf;
            if (byte < low || byte > high) {
                return false;
            }
        }
    }
    return true;
}

} // namespace ic
