#pragma once
/// UTF-8: what text in a document must be.

#include <string>
#include <string_view>

namespace ic {

/// Whether `text` is well-formed UTF-8: shortest forms only, no surrogates, nothing above U+10FFFF.
/// Source: RFC 3629 section 4.
bool is_utf8(std::string_view text);

/// `text` with U+FFFD for every byte that is part of no character, so that what others wrote (a
/// file's name, a guest's message) can stand in a document.
std::string repaired_utf8(std::string_view text);

} // namespace ic
