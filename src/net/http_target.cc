#include "net/http_target.h"

#include <algorithm>
#include <charconv>

namespace ic::net {
namespace {

using Text = std::unique_ptr<char, Free<void, curl_free>>;

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// What speaks of the connection, which is ours.
constexpr std::array<std::string_view, 12> forbidden_headers{"host",
                                                             "content-length",
                                                             "transfer-encoding",
                                                             "connection",
                                                             "expect",
                                                             "upgrade",
                                                             "te",
                                                             "trailer",
                                                             "keep-alive",
                                                             "proxy-authorization",
                                                             "proxy-connection",
                                                             "accept-encoding"};
constexpr std::array<std::string_view, 7> methods{
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

} // namespace

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return is_alphanumeric(c) ||
               std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
    });
}

std::string lower(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && std::string_view{" \t\r\n"}.find(text.back()) != text.npos) {
        text.remove_suffix(1);
    }
    return text;
}

Result<void> check_request(const HttpRequest& request) {
    if (std::ranges::find(methods, request.method) == methods.end()) {
        return Error{Errc::malformed, "unknown method '" + request.method + "'"};
    }
    if (request.produce && (!request.body.empty() || request.method == "HEAD")) {
        return Error{Errc::malformed, "a body that is produced is the only one of its request"};
    }
    if (request.unix_socket.size() > limits::unix_socket_path_bytes_max) {
        return Error{Errc::too_large,
                     "the path of a socket has more than " +
                         std::to_string(limits::unix_socket_path_bytes_max) +
                         " bytes: " + request.unix_socket};
    }
    if (request.headers.size() > limits::request_headers_max) {
        return Error{Errc::too_large, "too many headers"};
    }
    std::size_t bytes = 0;
    for (const auto& [name, value] : request.headers) {
        bytes += name.size() + value.size() + 4;
        if (!is_token(name) || std::ranges::any_of(value, [](char c) {
                return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
            })) {
            return Error{Errc::malformed, "a header's name or value has forbidden characters"};
        }
        if (std::ranges::find(forbidden_headers, lower(name)) != forbidden_headers.end()) {
            return Error{Errc::malformed, "header '" + name + "' is not the guest's to set"};
        }
    }
    if (bytes > limits::request_header_bytes_max) {
        return Error{Errc::too_large, "the headers are too large"};
    }
    return {};
}

std::string part_of(CURLU* url, CURLUPart part, unsigned flags) {
    char* value = nullptr;
    if (curl_url_get(url, part, &value, flags) != CURLUE_OK) {
        return {};
    }
    const Text owned{value};
    return owned.get();
}

// `base` is where a redirect came from.
Result<Target> parse_url(std::string_view text, const Target* base) {
    if (text.size() > limits::url_bytes_max) {
        return Error{Errc::too_large, "the URL is too long"};
    }
    if (std::ranges::any_of(
            text, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; })) {
        return Error{Errc::malformed, "the URL has spaces or control characters"};
    }
    Target target;
    target.url.reset(base != nullptr ? curl_url_dup(base->url.get()) : curl_url());
    const CURLUcode failure =
        curl_url_set(target.url.get(), CURLUPART_URL, std::string(text).c_str(), 0);
    if (failure != CURLUE_OK) {
        return Error{Errc::malformed,
                     "not a URL that can be requested: " + std::string(curl_url_strerror(failure))};
    }
    const std::string scheme = part_of(target.url.get(), CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https") {
        return Error{Errc::refused, "scheme '" + scheme + "' is not http or https"};
    }
    if (!part_of(target.url.get(), CURLUPART_USER).empty() ||
        !part_of(target.url.get(), CURLUPART_PASSWORD).empty() ||
        !part_of(target.url.get(), CURLUPART_ZONEID).empty()) {
        return Error{Errc::refused, "a URL with a user, password or zone is not requested"};
    }
    target.host = lower(part_of(target.url.get(), CURLUPART_HOST));
    if (!std::ranges::all_of(target.host, [](char c) {
            return is_alphanumeric(c) ||
                   std::string_view{"-._[]:"}.find(c) != std::string_view::npos;
        })) {
        return Error{Errc::malformed, "the URL's host has characters that no name has"};
    }
    const std::string port = part_of(target.url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
    const auto parsed = std::from_chars(port.data(), port.data() + port.size(), target.port);
    if (target.host.empty() || parsed.ec != std::errc() || target.port == 0) {
        return Error{Errc::malformed, "the URL has no host or no usable port"};
    }
    target.origin = scheme + "://" + target.host + ":" + port;
    curl_url_set(target.url.get(), CURLUPART_FRAGMENT, nullptr, 0);
    return target;
}

} // namespace ic::net
