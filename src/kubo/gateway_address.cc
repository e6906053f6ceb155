#include "kubo/gateway_address.h"

#include "kubo/api_address.h"

namespace ic::kubo {
namespace {

constexpr std::string_view scheme = "http://";
constexpr std::string_view this_machine = "127.0.0.1";

/// Of `http://HOST:PORT`.
std::string_view host_of(std::string_view url) {
    return url.substr(scheme.size(), url.rfind(':') - scheme.size());
}

bool is_loopback(std::string_view host) {
    return host == "localhost" || host == "[::1]" || host.starts_with("127.");
}

bool is_any(std::string_view host) { return host == "0.0.0.0" || host == "[::]"; }

} // namespace

std::optional<std::string> gateway_url(std::string_view api,
                                       std::span<const std::string> addresses) {
    const std::string_view api_host = api.starts_with(scheme) ? host_of(api) : this_machine;
    for (const std::string& address : addresses) {
        const Result<std::string> url = api_url(address);
        if (!url || !url->starts_with(scheme)) {
            continue;
        }
        const std::string_view host = host_of(*url);
        if (is_any(host)) {
            return std::string(scheme) + std::string(api_host) + url->substr(url->rfind(':'));
        }
        if (!is_loopback(host) || is_loopback(api_host)) {
            return *url;
        }
    }
    return std::nullopt;
}

} // namespace ic::kubo
