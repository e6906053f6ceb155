#pragma once
/// What is refused of a request's head before a parser that is more patient sees it: whatever two
/// readers of one connection could take for different requests. Inside this folder alone.

#include <cstdint>
#include <optional>
#include <string_view>

namespace ic::net {

struct WebRefusal {
    std::uint16_t status = 400;
    std::string_view why;
};

/// `head` is a request's first line and headers with the blank line after them. RFC 9112: lines end
/// with CR LF alone (2.2), HTTP/1.0 or 1.1 (2.3), no header goes on in a second line (5.2), not
/// both Content-Length and Transfer-Encoding nor either twice (6.1 to 6.3), no coding but chunked
/// (6.1), one Host of HTTP/1.1 (3.2). Ours: limits::web_target_bytes_max, limits::web_headers_max.
std::optional<WebRefusal> refusal_of_head(std::string_view head);

} // namespace ic::net
