#include "net/web_url.h"

#include "net/http_client.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ic::net {
namespace {

struct Prefix {
    std::string_view text;
    WebUrl::Scheme scheme;
};

constexpr std::array<Prefix, 4> prefixes{{{"ws://", WebUrl::Scheme::plain},
                                          {"http://", WebUrl::Scheme::plain},
                                          {"wss://", WebUrl::Scheme::tls},
                                          {"https://", WebUrl::Scheme::tls}}};

Error malformed(std::string_view text, const std::string& why) {
    return {Errc::malformed, "'" + std::string(text) + "' is no URL to connect to: " + why};
}

} // namespace

Result<WebUrl> WebUrl::parse(std::string_view text) {
    if (text.size() > limits::url_bytes_max) {
        return Error{Errc::too_large,
                     "a URL has more than " + std::to_string(limits::url_bytes_max) + " bytes"};
    }
    if (!std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; })) {
        return malformed("(URL)", "it has white space or bytes that are not ASCII");
    }
    const auto* const prefix = std::ranges::find_if(
        prefixes, [&](const Prefix& one) { return text.starts_with(one.text); });
    if (prefix == prefixes.end()) {
        return malformed(text, "it does not start with ws://, wss://, http:// or https://");
    }
    WebUrl url;
    url.scheme = prefix->scheme;
    const std::string_view rest = text.substr(prefix->text.size());
    const std::size_t end = rest.find_first_of("/?#");
    std::string authority{rest.substr(0, end)};
    std::ranges::transform(authority, authority.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    const Result<HostRule> rule = HostRule::parse(authority);
    if (!rule) {
        return malformed(text, rule.error().message);
    }
    url.host =
        rule->host.starts_with('[') ? rule->host.substr(1, rule->host.size() - 2) : rule->host;
    url.port = rule->port.value_or(url.scheme == Scheme::tls ? 443 : 80);
    if (end != std::string_view::npos) {
        const std::string_view target = rest.substr(end);
        if (target.find('#') != std::string_view::npos) {
            return malformed(text, "it has a fragment");
        }
        url.target = target.starts_with('?') ? "/" + std::string(target) : std::string(target);
    }
    return url;
}

std::string WebUrl::authority() const {
    const bool brackets = host.find(':') != std::string::npos;
    return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

} // namespace ic::net
