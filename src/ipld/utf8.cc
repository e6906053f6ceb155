#include "ipld/utf8.h"

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

std::size_t utf8_character_bytes(std::string_view text) {
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

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t size = utf8_character_bytes(text);
        if (size == 0) {
            return false;
        }
        text.remove_prefix(size);
    }
    return true;
}

void append_utf8(std::string& out, std::uint32_t code) {
    const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        return put(code);
    }
    if (code < 0x800) {
        put(0xc0U | code >> 6U);
    } else if (code < 0x10000) {
        put(0xe0U | code >> 12U);
        put(0x80U | (code >> 6U & 0x3fU));
    } else {
        put(0xf0U | code >> 18U);
        put(0x80U | (code >> 12U & 0x3fU));
        put(0x80U | (code >> 6U & 0x3fU));
    }
    put(0x80U | (code & 0x3fU));
}

std::string repaired_utf8(std::string_view text) {
    std::string repaired;
    while (!text.empty()) {
        const std::size_t size = utf8_character_bytes(text);
        repaired += size == 0 ? "\xef\xbf\xbd" : text.substr(0, size);
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return repaired;
}

} // namespace ic
