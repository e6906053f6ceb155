#pragma once
/// The signed envelope of UCAN 1.0.0: [signature, {"h": varsig header, tag: payload}] in DAG-CBOR,
/// the signature over the encoded second element. Invocations and receipts both stand in one.
/// Source: ucan-wg/spec 1.0.0, "Envelope"; varsig: Ed25519, SHA-512 by its definition, DAG-CBOR.

#include "base/bytes.h"
#include "base/result.h"
#include "identity/key.h"
#include "ipld/node.h"

#include <array>
#include <string_view>

namespace ic::job::envelope {

/// Varsig v1, EdDSA over Ed25519 with SHA-512, payload in DAG-CBOR.
inline constexpr std::array<std::uint8_t, 8> varsig_header{
    0x34, 0x01, 0xed, 0x01, 0xed, 0x01, 0x13, 0x71};
/// List of two; byte string of 64.
inline constexpr std::array<std::uint8_t, 3> head{0x82, 0x58, 0x40};
/// Where the signed part begins.
inline constexpr std::size_t signed_part_at = head.size() + sizeof(Signature);

/// What is signed. Inverse: `open`.
Bytes signed_part(std::string_view tag, ipld::Map payload);

/// The document: `key`'s signature before the signed part.
Bytes seal(ByteView signed_part, const PrivateKey& key);

/// An envelope that was read.
struct Opened {
    ipld::Node signed_part;

    /// Lifetime: as this value.
    const ipld::Node& payload() const { return (*signed_part.as<ipld::Map>())[1].second; }
};

/// Reads an envelope around `tag`. The signature is not checked.
/// Errors: malformed; unsupported (another key type, another version of the tag).
Result<Opened> open(ByteView document, std::string_view tag);

/// Whether `document` carries `signer`'s signature. Requires: `open` accepts it. Errors: refused.
Result<void> verify(ByteView document, const PublicKey& signer);

} // namespace ic::job::envelope
