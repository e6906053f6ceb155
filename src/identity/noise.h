#pragma once
/// Noise_XX_25519_ChaChaPoly_SHA256: the handshake in which both ends send their static keys, and
/// the ciphers that come of it. Source: The Noise Protocol Framework, revision 34; the sections
/// that are named here are its own.

#include "base/bytes.h"
#include "base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace ic {

/// Overwrites what was secret, in a way that no compiler leaves out.
void wipe(std::span<std::uint8_t> secret);

} // namespace ic

namespace ic::noise {

namespace limits {
/// Section 3: of a handshake or transport message, its tag included.
inline constexpr std::size_t message_bytes_max = 65'535;
/// Section 5.1: 2^64 - 1 is never a nonce; a cipher that came to it refuses.
inline constexpr std::uint64_t nonce_end = UINT64_MAX;
} // namespace limits

/// Section 12.3: ChaCha20-Poly1305's tag (RFC 8439).
inline constexpr std::size_t tag_bytes = 16;

/// A public key of X25519, or SHA-256's output. Nothing secret.
using Key = std::array<std::uint8_t, 32>;
using Hash = std::array<std::uint8_t, 32>;

/// The message sender's part in the pattern (section 7.1).
enum class Role : std::uint8_t { initiator, responder };

/// The private keys of X25519 (RFC 7748): any 32 random bytes each. Wiped when they go. The
/// ephemeral one is for one handshake and never another.
struct Seeds {
    std::array<std::uint8_t, 32> static_key{};
    std::array<std::uint8_t, 32> ephemeral_key{};

    Seeds() = default;
    Seeds(const Seeds&) = default;
    Seeds& operator=(const Seeds&) = default;
    ~Seeds();
};

/// CipherState of section 5.1: one key and a nonce that counts. Threads: one at a time.
class Cipher {
public:
    /// Lifetime: `key` is the caller's again after the call, to wipe.
    explicit Cipher(ByteView key);
    Cipher(Cipher&&) noexcept;
    Cipher& operator=(Cipher&&) noexcept;
    ~Cipher();

    /// Errors: too_large for more than `limits::message_bytes_max` with the tag; refused when the
    /// nonces are used up. Inverse: `decrypt`.
    Result<Bytes> encrypt(ByteView associated, ByteView plain);

    /// The nonce advances only when the tag is right.
    /// Errors: malformed without a whole tag; too_large; refused for a wrong tag, or when the
    /// nonces are used up. Inverse: `encrypt`.
    Result<Bytes> decrypt(ByteView associated, ByteView sealed);

    /// SetNonce of section 5.1.
    void set_nonce(std::uint64_t nonce) { nonce_ = nonce; }

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
    std::uint64_t nonce_ = 0;
};

/// What a handshake ends in.
struct Ciphers {
    Cipher send;
    Cipher receive;
};

/// HandshakeState of section 5.3 for the pattern XX (section 7.5):
///     -> e    <- e, ee, s, es    -> s, se
/// After an error it is over: every later call answers `refused`. Threads: one at a time.
class Handshake {
public:
    /// Lifetime: `seeds` and `prologue` (section 6) are the caller's again after the call.
    Handshake(Role role, const Seeds& seeds, ByteView prologue);
    Handshake(Handshake&&) noexcept;
    Handshake& operator=(Handshake&&) noexcept;
    ~Handshake();

    /// The next message, with `payload` in it: encrypted in the second and third, not in the first.
    /// Requires: it is this end's turn.
    /// Errors: too_large; refused for a key of the other end that gives a secret of zeros.
    Result<Bytes> write_message(ByteView payload);

    /// The payload of the other end's next message. Requires: it is the other end's turn.
    /// Errors: malformed, too_large; refused for what is not authentic, and for a key that gives a
    /// secret of zeros (section 12.1, RFC 7748 section 6.1).
    Result<Bytes> read_message(ByteView message);

    /// Whether all three messages have gone.
    bool complete() const;

    /// Whether the next message is this end's to write. Requires: not complete.
    bool writes_next() const;

    /// This end's static public key.
    const Key& static_key() const;

    /// The other end's static public key, once it came.
    const std::optional<Key>& remote_static_key() const;

    /// What both ends have in common and no other handshake has (section 11.2). Requires: complete.
    const Hash& hash() const;

    /// Split of section 5.2. Requires: complete; called once.
    Ciphers split() &&;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace ic::noise
