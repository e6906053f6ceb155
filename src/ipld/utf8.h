#pragma once
/// UTF-8: what text in a document must be.

#include <string_view>

namespace ic {

/// Whether `text` is well-formed UTF-8: shortest forms only, no surrogates, nothing above U+10FFFF.
/// Source: RFC 3629 section 4.
bool is_utf8(std::string_view text);

} // namespace ic
