#pragma once
/// Ed25519 keys and their names: did:key and libp2p peer ID.

#include "base/bytes.h"
#include "base/result.h"

#include <array>
#include <compare>
#include <cstdint>
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

    /// libp2p peer ID (identity multihash of the protobuf key). Inverse: `parse_peer_id`.
    std::string to_peer_id() const;

    static Result<PublicKey> parse_did(std::string_view did);
    static Result<PublicKey> parse_peer_id(std::string_view peer_id);

    /// Errors: refused if `signature` is not this key's over `message`.
    Result<void> verify(ByteView message, const Signature& signature) const;
};

/// A private key. A resource: it is not copied and never printed.
/// Threads: `sign` may be called from several threads.
class PrivateKey {
public:
    /// From the 32-byte seed of RFC 8032. Randomness is the caller's.
    static Result<PrivateKey> from_seed(ByteView seed);

    PrivateKey(PrivateKey&&) noexcept;
    PrivateKey& operator=(PrivateKey&&) noexcept;
    ~PrivateKey();

    const PublicKey& public_key() const { return public_key_; }

    Signature sign(ByteView message) const;

    /// A secret of 32 bytes for one purpose, HKDF-SHA256 of the seed (RFC 5869): different purposes,
    /// unrelated secrets. For the MAC of compiled artifacts and for session keys.
    std::array<std::uint8_t, 32> derive(std::string_view purpose) const;

private:
    struct Impl;
    PrivateKey(std::unique_ptr<Impl> impl, PublicKey public_key);
    std::unique_ptr<Impl> impl_;
    PublicKey public_key_;
};

/// HMAC-SHA256, fed in pieces.
class Mac {
public:
    explicit Mac(ByteView key);
    Mac(Mac&&) noexcept;
    ~Mac();
    void update(ByteView data);
    std::array<std::uint8_t, 32> finish();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Compares in time that depends on the lengths only.
bool equal_in_constant_time(ByteView left, ByteView right);

} // namespace ic
