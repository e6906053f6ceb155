#pragma once
/// `key/sign`: signatures by the key of a Kubo's peer ID, which never leaves it.

#include "base/bytes.h"
#include "base/result.h"
#include "kubo/rpc.h"

#include <string_view>

namespace ic::kubo {

namespace limits {
/// Ours: Kubo reads what is signed whole.
inline constexpr std::size_t signed_bytes_max = 1U << 20U;
} // namespace limits

/// What Kubo puts in front of the bytes before it signs them, so that no signature can be taken for
/// one of another protocol: who verifies puts it there too. Source: Kubo 0.43,
/// core/coreapi/key.go.
inline constexpr std::string_view signed_prefix = "libp2p-key signed message:";

/// `key/sign` with the key "self": the bare signature (64 bytes for Ed25519) over `signed_prefix`
/// and `data`. Errors beside those of Rpc: too_large.
Result<Bytes> sign_as_peer(Rpc& rpc, ByteView data, Stop stop = {});

} // namespace ic::kubo
