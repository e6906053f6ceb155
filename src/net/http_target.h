#pragma once
/// What a request is checked for before anything is sent: its URL, method and headers. Inside this
/// folder alone.

#include "base/result.h"
#include "net/curl_on_demand.h"
#include "net/http_client.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace ic::net {

template <class T, auto function>
struct Free {
    void operator()(T* value) const { function(value); }
};

using Url = std::unique_ptr<CURLU, Free<CURLU, curl_url_cleanup>>;

/// Where one hop goes.
struct Target {
    Url url;
    std::string host; ///< In lower case.
    std::uint16_t port = 0;
    std::string origin; ///< "https://host:443".
};

/// An http or https URL without user or password. `base` is where a redirect came from, or null.
/// Errors: too_large, malformed, refused.
Result<Target> parse_url(std::string_view text, const Target* base);

/// A part of a URL; empty if it has none.
std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0);

/// Errors: malformed, too_large.
Result<void> check_request(const HttpRequest& request);

/// Of RFC 9110 section 5.6.2: what methods and names of headers are made of.
bool is_token(std::string_view text);

/// Letters of ASCII alone.
std::string lower(std::string_view text);

/// Without white space around it.
std::string_view trimmed(std::string_view text);

/// What goes no further than the origin of the first URL; in lower case.
inline constexpr std::array<std::string_view, 2> credential_headers{"authorization", "cookie"};

} // namespace ic::net
