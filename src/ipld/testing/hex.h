#pragma once
/// Bytes as tests write them down.

#include "base/bytes.h"

#include <string>
#include <string_view>

namespace ic {

/// What `hex` spells; blanks are left out. Requires: whole bytes.
inline Bytes from_hex(std::string_view hex) {
    std::string digits;
    for (const char character : hex) {
        if (character != ' ') {
            digits.push_back(character);
        }
    }
    Bytes bytes;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(at, 2), nullptr, 16)));
    }
    return bytes;
}

} // namespace ic
