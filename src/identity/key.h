#pragma once
/// Ed25519 keys and their names: did:key and libp2p peer ID.

#include "base/bytes.h"
#include "base/result.h"

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ic {

using Signature = std::array<std::uint8_t, 64>;

/// A public key. The same 32 bytes print as `did:key:z6Mk...` and as `12D3KooW...`.
struct PublicKey {
    std::array<std::uint8_t, 32> bytes{};

    friend auto operator<=>(const PublicKey&, const PublicKey&) = default;

    /// did:key, W3C CCG did:key 0.7: multicodec 0xed01, base58btc. Inverse: `parse_did`.
    std::string to_did() const;

    /// libp2p peer ID: base58btc of the identity multihash of the protobuf key.
    /// Source: libp2p/specs, peer-ids.md, r2. Inverse: `parse_peer_id`.
    std::string to_peer_id() const;

    /// Errors: malformed; unsupported for did:key of another kind of key.
    static Result<PublicKey> parse_did(std::string_view did);

    /// Errors: malformed; unsupported for peer IDs that do not hold an Ed25519 key (RSA: `Qm...`).
    static Result<PublicKey> parse_peer_id(std::string_view peer_id);

    /// Errors: refused if `signature` is not this key's over `message` (RFC 8032, pure Ed25519).
    /// Cost: about 120 us; nothing is allocated that outlives the call. Threads: any.
    Result<void> verify(ByteView message, const Signature& signature) const;
};

/// A private key. A resource: it is not copied and never printed.
/// Threads: `sign` may be called from several threads.
class PrivateKey {
public:
    /// From the 32-byte seed of RFC 8032. Randomness is the caller's, as is wiping `seed`.
    /// Errors: malformed if it is not 32 bytes long.
    static Result<PrivateKey> from_seed(ByteView seed);

    PrivateKey(PrivateKey&&) noexcept;
    PrivateKey& operator=(PrivateKey&&) noexcept;
    ~PrivateKey();

    const PublicKey& public_key() const { return public_key_; }

    /// The signature of RFC 8032 (deterministic). Cost: about 45 us. Threads: any.
    Signature sign(ByteView message) const;

    /// A secret of 32 bytes for one purpose, HKDF-SHA256 of the seed (RFC 5869): different
    /// purposes, unrelated secrets. For the MAC of compiled artifacts and for session keys.
    /// Threads: any.
    std::array<std::uint8_t, 32> derive(std::string_view purpose) const;

private:
    friend std::string encode_key(const PrivateKey& key); // In identity/key_text.h.

    struct Impl;
    std::array<std::uint8_t, 32> seed() const;
    PrivateKey(std::unique_ptr<Impl> impl, PublicKey public_key);
    std::unique_ptr<Impl> impl_;
    PublicKey public_key_;
};

/// HMAC-SHA256 (RFC 2104), fed in pieces. Threads: one at a time.
class Mac {
public:
    /// Lifetime: `key` is the caller's again after the call. Any length, 32 bytes as a rule.
    explicit Mac(ByteView key);
    Mac(Mac&&) noexcept;
    Mac& operator=(Mac&&) noexcept;
    ~Mac();

    void update(ByteView data);

    /// The code over all that was fed. Requires: called once; nothing is fed after it.
    std::array<std::uint8_t, 32> finish();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The first 32 bytes of HKDF-SHA256 (RFC 5869): a secret for the purpose that `info` names.
std::array<std::uint8_t, 32> hkdf_sha256(ByteView secret, ByteView salt, ByteView info);

/// Compares in time that depends on the lengths only. For codes and secrets.
bool equal_in_constant_time(ByteView left, ByteView right);

} // namespace ic

/// A key is random to whoever did not make it, so its first bytes are hash enough; tables keyed by
/// foreign keys are bounded by their owners.
template <>
struct std::hash<ic::PublicKey> {
    std::size_t operator()(const ic::PublicKey& key) const noexcept;
};
