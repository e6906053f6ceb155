#include "kubo/api_address.h"

#include "base/file.h"
#include "base/text.h"
#include "net/address.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <vector>

namespace ic::kubo {
namespace {

Error malformed(std::string_view text) {
    return {Errc::malformed,
            "'" + printable(text) + "' is no address of a Kubo API; give http://HOST:PORT or " +
                std::string(default_api)};
}

/// Letters, digits, '-' and '.': what a host name or a dotted address consists of.
bool is_host(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '-' || letter == '.';
    });
}

bool is_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size() && port != 0 &&
           text.front() != '0';
}

bool is_ip6(std::string_view text) {
    return text.find(':') != std::string_view::npos && net::Address::parse(text).ok();
}

constexpr std::string_view unix_prefix = "/unix/";

/// The path of a socket: absolute, printable, and not a folder.
Result<std::string> unix_address(std::string_view text) {
    const std::string_view path = text.substr(unix_prefix.size() - 1);
    if (path.size() > limits::api_socket_path_bytes_max) {
        return Error{Errc::too_large,
                     "the path of a Kubo API's socket has more than " +
                         std::to_string(limits::api_socket_path_bytes_max) + " bytes"};
    }
    const bool is_plain = std::ranges::all_of(path, [](char letter) {
        return static_cast<unsigned char>(letter) > 0x20 && letter != 0x7f;
    });
    return is_plain && !path.ends_with('/') ? Result<std::string>(std::string(text))
                                            : malformed(text);
}

Result<std::string> url_of_http(std::string_view text) {
    std::string_view rest = text.substr(std::string_view("http://").size());
    if (rest.ends_with('/')) {
        rest.remove_suffix(1);
    }
    const std::size_t bracket = rest.rfind(']');
    const std::size_t colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
    const std::string_view host = rest.substr(0, colon);
    const std::string_view port =
        colon == std::string_view::npos ? std::string_view("80") : rest.substr(colon + 1);
    const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    const bool is_fine = is_bracketed ? is_ip6(host.substr(1, host.size() - 2)) : is_host(host);
    if (!is_fine || !is_port(port)) {
        return malformed(text);
    }
    return "http://" + std::string(host) + ":" + std::string(port);
}

Result<std::string> url_of_multiaddr(std::string_view text) {
    std::vector<std::string_view> parts;
    for (std::size_t at = 1; at <= text.size();) {
        const std::size_t end = std::min(text.find('/', at), text.size());
        parts.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    const bool is_known = parts[0] == "ip4" || parts[0] == "ip6" || parts[0] == "dns" ||
                          parts[0] == "dns4" || parts[0] == "dns6";
    const bool ends_well = parts.size() == 4 || (parts.size() == 5 && parts[4] == "http");
    if (!is_known || (parts.size() > 2 && parts[2] != "tcp") || (parts.size() >= 4 && !ends_well)) {
        return Error{Errc::unsupported,
                     "the address " + printable(text) +
                         " of a Kubo API is not one that can be used; give "
                         "http://HOST:PORT or " +
                         std::string(default_api)};
    }
    if (parts.size() < 4 || !is_port(parts[3])) {
        return malformed(text);
    }
    if (parts[0] == "ip6" ? !is_ip6(parts[1]) : !is_host(parts[1])) {
        return malformed(text);
    }
    const std::string host =
        parts[0] == "ip6" ? "[" + std::string(parts[1]) + "]" : std::string(parts[1]);
    return "http://" + host + ":" + std::string(parts[3]);
}

} // namespace

Result<std::string> api_url(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    if (text.size() > limits::api_address_bytes_max) {
        return Error{Errc::too_large,
                     "the address of a Kubo API has more than " +
                         std::to_string(limits::api_address_bytes_max) + " bytes"};
    }
    const std::size_t begin = text.find_first_not_of(space);
    if (begin == std::string_view::npos) {
        return malformed(text);
    }
    text = text.substr(begin, text.find_last_not_of(space) + 1 - begin);
    if (text.starts_with("http://")) {
        return url_of_http(text);
    }
    if (text.starts_with("https://")) {
        return Error{Errc::unsupported, "https is not spoken to a Kubo API; give http://HOST:PORT"};
    }
    if (text.starts_with(unix_prefix)) {
        return unix_address(text);
    }
    return text.starts_with('/') ? url_of_multiaddr(text) : malformed(text);
}

std::string socket_of(std::string_view address) {
    return address.starts_with(unix_prefix)
               ? std::string(address.substr(unix_prefix.size() - 1)) // Its slash is the path's.
               : std::string();
}

Result<std::string> find_api(const std::string& ipfs_path, const std::string& home) {
    const std::string folder = ipfs_path.empty() ? home + "/.ipfs" : ipfs_path;
    const std::optional<Bytes> text =
        TRY(read_file_if_exists(folder + "/api", limits::api_address_bytes_max));
    return api_url(text ? text_of(*text) : default_api);
}

} // namespace ic::kubo
