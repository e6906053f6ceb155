#pragma once
/// The text form of a private key, as it stands in a key file: base64 (RFC 4648 section 4, padded)
/// of libp2p's protobuf of the key, on one line; the same text as Kubo's `Identity.PrivKey`.
/// Source: libp2p/specs, peer-ids.md, r2: 08 01 12 40, 32-byte seed, 32-byte public key.

#include "base/result.h"
#include "identity/key.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace ic {

namespace limits {
/// 68 bytes are 92 digits of base64; one line end may follow.
inline constexpr std::size_t key_text_bytes_max = 93;
} // namespace limits

/// One line without its end. The caller wipes the text when done. Inverse: `decode_key`.
std::string encode_key(const PrivateKey& key);

/// Takes the line with or without one "\n" after it.
/// Errors: too_large; malformed (not the one base64 form, or the public half is not the seed's);
/// unsupported (a libp2p key of another type). No message repeats any of the text.
Result<PrivateKey> decode_key(std::string_view text);

} // namespace ic
