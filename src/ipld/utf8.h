#pragma once
/// UTF-8: what text in a document must be.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ic {

/// Whether `text` is well-formed UTF-8: shortest forms only, no surrogates, nothing above U+10FFFF.
/// Source: RFC 3629 section 4.
bool is_utf8(std::string_view text);

/// Bytes of the character that `text` starts with; 0 if it starts with none. Requires: not empty.
std::size_t utf8_character_bytes(std::string_view text);

/// Appends one character. Requires: U+0000 to U+10FFFF, no surrogate.
void append_utf8(std::string& out, std::uint32_t code);

/// `text` with U+FFFD for every byte that is part of no character, so that what others wrote (a
/// file's name, a guest's message) can stand in a document.
std::string repaired_utf8(std::string_view text);

} // namespace ic
