#pragma once
/// URLs of WebSockets. Inside this folder alone. Pure.

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace ic::net {

struct WebUrl {
    enum class Scheme : std::uint8_t { plain, tls };

    Scheme scheme = Scheme::plain;
    std::string host; ///< In lower case; an IPv6 address without its brackets.
    std::uint16_t port = 0;
    std::string target = "/"; ///< Path and query.

    friend bool operator==(const WebUrl&, const WebUrl&) = default;

    /// `ws://`, `wss://`, `http://` or `https://` HOST[:PORT][/PATH][?QUERY]: no user, no fragment,
    /// nothing that is not printable ASCII. Errors: malformed, too_large.
    static Result<WebUrl> parse(std::string_view text);

    /// Host and port as a URL has them: "[::1]:80".
    std::string authority() const;
};

} // namespace ic::net
