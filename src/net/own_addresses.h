#pragma once
/// Under which addresses this machine can be reached, as far as it can tell itself.

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ic::net {

/// The addresses of its interfaces that are up: IPv4 as text, IPv6 in brackets; no loopback, no
/// link-local; in the order of the kernel, IPv4 first. At most `most`.
/// Loopback alone if there is no other. Empty if the kernel does not say.
std::vector<std::string> own_addresses(std::size_t most);

/// A port of 127.0.0.1 that nobody listens at now. Another may take it before the caller does.
/// Errors: unavailable.
Result<std::uint16_t> free_port();

/// Whether somebody listens at this port of 127.0.0.1: connects to it, and leaves.
bool is_listened_at(std::uint16_t port);

} // namespace ic::net
