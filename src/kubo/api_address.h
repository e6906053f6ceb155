#pragma once
/// Where a Kubo node's RPC API is.

#include "base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace ic::kubo {

namespace limits {
/// Ours.
inline constexpr std::size_t api_address_bytes_max = 512;
/// What the kernel takes as a socket's name.
inline constexpr std::size_t api_socket_path_bytes_max = 107;
} // namespace limits

/// What Kubo listens on unless it is told otherwise.
inline constexpr std::string_view default_api = "/ip4/127.0.0.1/tcp/5001";

/// `http://HOST:PORT` (no slash at the end) of `http://HOST[:PORT][/]`, or of a multiaddr of the
/// forms
/// `/ip4/A/tcp/P`, `/ip6/A/tcp/P` and `/dns|dns4|dns6/NAME/tcp/P`, each perhaps with `/http` after
/// it. `/unix/PATH` stays as it is: the socket /PATH. White space around it is ignored (an api file
/// may end in a line end). Errors: malformed, too_large, unsupported (other multiaddrs, https).
Result<std::string> api_url(std::string_view text);

/// The socket's path of what `api_url` gave as `/unix/PATH`; empty for a URL.
std::string socket_of(std::string_view address);

/// Where this user's Kubo says that it is: the file `api` in `ipfs_path`, or, if that is empty, in
/// `.ipfs` of `home`; `default_api` if there is no such file. Gives a URL as `api_url`.
/// Errors: as `api_url` and reading files.
Result<std::string> find_api(const std::string& ipfs_path, const std::string& home);

} // namespace ic::kubo
