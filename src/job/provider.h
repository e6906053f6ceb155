#pragma once
/// Provider: an address under which an IPFS node can be dialled that has blocks somebody needs.
/// Format: docs/formats/job.md, "Providers". Source: multiformats/multiaddr, of which this is a
/// part.

#include "base/result.h"
#include "ipld/node.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ic::job {

namespace limits {
/// Ours: of one document.
inline constexpr std::size_t providers_max = 8;
inline constexpr std::size_t provider_bytes_max = 256;
} // namespace limits

/// `/ip4/A/tcp/P/p2p/PEER`, `/ip6/A/udp/P/quic-v1/p2p/PEER`, or either with `/p2p-circuit/p2p/PEER`
/// behind it: by way of a relay. Names are left out on purpose: only an address says what is going
/// to be dialled.
struct Provider {
    enum class Transport : std::uint8_t { tcp, quic };

    bool is_ip6 = false;
    std::string ip; ///< As it is written; of the right characters, and not looked into further.
    std::uint16_t port = 0;
    Transport transport = Transport::tcp;
    std::optional<std::string> relay; ///< The peer at that address, if it is not the provider.
    std::string peer;

    /// Errors: malformed, unsupported (another kind of multiaddr), too_large. Inverse: `to_string`.
    static Result<Provider> parse(std::string_view text);

    std::string to_string() const;

    friend bool operator==(const Provider&, const Provider&) = default;
};

/// Errors: as `Provider::parse`; too_large for more than `limits::providers_max`.
Result<void> check_providers(std::span<const std::string> providers);

/// Of a document. Errors: malformed for anything but texts; as `check_providers`.
Result<std::vector<std::string>> provider_texts(const ipld::List& list);

} // namespace ic::job
