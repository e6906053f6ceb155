#pragma once
/// Hello: what each end says of itself inside the handshake, and the proof that its node's key
/// vouches for this session. Byte layout, version 1: docs/formats/session.md (ours).

#include "base/bytes.h"
#include "base/result.h"
#include "identity/key.h"
#include "identity/noise.h"
#include "job/ids.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace ic::session {

namespace limits {
inline constexpr std::size_t hello_name_bytes_max = 128;
inline constexpr std::size_t hello_software_bytes_max = 128;
/// What later minor versions may add.
inline constexpr std::size_t hello_extension_bytes_max = 256;
} // namespace limits

/// The protocol and its version: the handshake's prologue, and the context of signatures.
inline constexpr std::string_view protocol = "ipfs-compute/session/1";

struct Hello {
    job::Instance instance;
    PublicKey key;
    Signature signature{}; ///< The key's, over `proof`.
    std::string name;      ///< For people, UTF-8: "worker 4711".
    std::string software;  ///< UTF-8: "ipfs-compute/0.1.0".
    Bytes extension;       ///< Of a later minor version; not understood, not refused.

    friend bool operator==(const Hello&, const Hello&) = default;
};

/// What the node's key signs: its session's static key, in this role, under this protocol.
Bytes proof(noise::Role role, const noise::Key& static_key);

/// Requires: texts and extension within their limits, texts UTF-8. Inverse: `decode_hello`.
Bytes encode(const Hello& hello);

/// Says nothing of the signature.
/// Errors: malformed, too_large, unsupported (another version). Inverse: `encode`.
Result<Hello> decode_hello(ByteView bytes);

} // namespace ic::session
