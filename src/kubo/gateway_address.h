#pragma once
/// Where a Kubo node's HTTP gateway is.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ic::kubo {

/// The URL from here of one of `addresses` (multiaddrs, as Kubo's Addresses.Gateway has them), the
/// first that can be used. `api`: of the same Kubo, as `api_url` gives it. A loopback address is of
/// use only beside an API of this machine: elsewhere it names another machine's loopback. "All
/// addresses" are the API's. Nothing if none is of use.
std::optional<std::string> gateway_url(std::string_view api,
                                       std::span<const std::string> addresses);

} // namespace ic::kubo
