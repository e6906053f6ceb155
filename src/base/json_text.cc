#include "base/json_text.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace ic {
namespace {

void append_escape(std::string& out, std::uint32_t code) {
    constexpr std::string_view digits = "0123456789abcdef";
    out.append("\\u");
    for (int shift = 12; shift >= 0; shift -= 4) {
        out.push_back(digits[(code >> static_cast<unsigned>(shift)) & 0x0fU]);
    }
}

/// Bytes of the letter at the front of `text`, which is no ASCII; 0 if it is no UTF-8 (RFC 3629).
std::size_t utf8_letter_bytes(std::string_view text) {
    const auto byte = [&](std::size_t at) {
        return at < text.size() ? static_cast<std::uint8_t>(text[at]) : std::uint8_t{0};
    };
    const std::uint8_t first = byte(0);
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    const std::size_t bytes = first < 0xe0 ? 2U : first < 0xf0 ? 3U : 4U;
    std::uint32_t code = first & (0xffU >> (bytes + 1));
    for (std::size_t at = 1; at < bytes; ++at) {
        if ((byte(at) & 0xc0U) != 0x80U) {
            return 0;
        }
        code = code << 6U | (byte(at) & 0x3fU);
    }
    constexpr std::array<std::uint32_t, 5> code_min{0, 0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = code >= 0xd800 && code < 0xe000;
    return code < code_min[bytes] || code > 0x10ffff || is_surrogate ? 0 : bytes;
}

} // namespace

void append_json_string(std::string& out, std::string_view text) {
    out.push_back('"');
    while (!text.empty()) {
        const auto first = static_cast<std::uint8_t>(text.front());
        std::size_t taken = 1;
        if (first == '"' || first == '\\') {
            out.push_back('\\');
            out.push_back(text.front());
        } else if (first == '\n') {
            out.append("\\n");
        } else if (first < 0x20 || first == 0x7f) {
            append_escape(out, first);
        } else if (first < 0x80) {
            out.push_back(text.front());
        } else if (taken = utf8_letter_bytes(text); taken == 0) {
            out.append("\xef\xbf\xbd"); // U+FFFD
            taken = 1;
        } else if (first == 0xc2 && static_cast<std::uint8_t>(text[1]) < 0xa0) {
            append_escape(out, static_cast<std::uint8_t>(text[1]));
        } else {
            out.append(text.substr(0, taken));
        }
        text.remove_prefix(taken);
    }
    out.push_back('"');
}

} // namespace ic
