#pragma once
/// Hello: the first datagram in each direction of a bus connection. Byte layout, version 1:
/// docs/formats/bus.md (ours).

#include "base/bytes.h"
#include "base/result.h"
#include "transport/transport.h"

#include <string>

namespace ic::transport {

namespace limits {
inline constexpr std::size_t hello_name_bytes_max = 128;
inline constexpr std::size_t hello_software_bytes_max = 128;
/// What later minor versions may add.
inline constexpr std::size_t hello_extension_bytes_max = 256;
} // namespace limits

/// Who is at this end.
struct Hello {
    job::Instance instance;
    PeerKind kind = PeerKind::node;
    PublicKey key;
    std::string name;     ///< For people, UTF-8: "worker 4711".
    std::string software; ///< "ipfs-compute/0.1.0".
    Bytes extension;      ///< Of a later minor version; not understood, not refused.

    friend bool operator==(const Hello&, const Hello&) = default;
};

/// Requires: texts and extension within their limits. Inverse: `decode_hello`.
Bytes encode(const Hello& hello);

/// Errors: malformed, too_large, unsupported (another major version). Inverse: `encode`.
Result<Hello> decode_hello(ByteView bytes);

} // namespace ic::transport
