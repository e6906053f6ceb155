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

/// Bytes of the character that `text` starts with; 0 if it starts with none. Requires: not empty.
std::size_t character_bytes(std::string_view text) {
    const Tail tail = tail_of(static_cast<std::uint8_t>(text.front()));
    if (text.size() <= tail.count) {
        return 0;
    }
    for (std::size_t index = 1; index <= tail.count; ++index) {
        const auto byte = static_cast<std::uint8_t>(text[index]);
        const std::uint8_t low = index == 1 ? tail.second_min : 0x80;
        const std::uint8_t high = index == 1 ? tail.second_max : 0xbf;
        if (byte < low || byte > high) {
            return 0;
        }
    }
    return 1 + tail.count;
}

} // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t size = character_bytes(text);
        if (size == 0) {
            return false;
        }
        text.remove_prefix(size);
    }
    return true;
}

std::string repaired_utf8(std::string_view text) {
    std::string repaired;
    while (!text.empty()) {
        const std::size_t size = character_bytes(text);
        repaired += size == 0 ? "\xef\xbf\xbd" : text.substr(0, size);
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return repaired;
}

} // namespace ic
