#pragma once
/// JSON written by hand, by folders that write a line and have no document.

#include <string>
#include <string_view>

namespace ic {

/// Appends `text` as a JSON string, quotes too. What is no UTF-8 becomes U+FFFD, byte by byte, and
/// control characters (C1 and DEL too, which steer terminals) are escaped.
/// Format: RFC 8259, section 7.
void append_json_string(std::string& out, std::string_view text);

} // namespace ic
