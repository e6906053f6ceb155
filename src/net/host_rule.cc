#include "net/http_client.h"

#include <algorithm>
#include <charconv>

namespace ic::net {

Result<HostRule> HostRule::parse(std::string_view text) {
    const Error malformed{Errc::malformed,
                          "'" + std::string(text) + "' is not host or host:port, in lower case"};
    HostRule rule;
    std::string_view host = text;
    const std::size_t close = text.rfind(']');
    const std::size_t colon = text.find(':', close == std::string_view::npos ? 0 : close);
    if (colon != std::string_view::npos) {
        const std::string_view port = text.substr(colon + 1);
        std::uint16_t number = 0;
        const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), number);
        if (failure != std::errc() || end != port.data() + port.size() || number == 0 ||
            port.front() == '0') {
            return malformed;
        }
        rule.port = number;
        host = text.substr(0, colon);
    }
    rule.host = host;
    if (host.starts_with('[')) {
        if (!host.ends_with(']')) {
            return malformed;
        }
        const Result<Address> address = Address::parse(host.substr(1, host.size() - 2));
        // Written as it is compared: the canonical text (RFC 5952) of an IPv6 address.
        if (!address || "[" + address->to_string() + "]" != rule.host) {
            return malformed;
        }
        return rule;
    }
    if (host.empty() || host.size() > 253 || host.front() == '.' || host.back() == '.' ||
        host.find("..") != std::string_view::npos || !std::ranges::all_of(host, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                   c == '_';
        })) {
        return malformed;
    }
    // What a URL parser would take for an address must be spelled as one, so that it means itself.
    const std::string_view last = host.substr(host.rfind('.') + 1);
    const bool numeric = last.front() >= '0' && last.front() <= '9';
    if (numeric && !Address::parse(host)) {
        return malformed;
    }
    return rule;
}

std::string HostRule::to_string() const { return port ? host + ":" + std::to_string(*port) : host; }

bool HostRule::allows(std::string_view to_host, std::uint16_t to_port) const {
    return host == to_host && (port ? *port == to_port : to_port == 80 || to_port == 443);
}

} // namespace ic::net
