#pragma once
/// Multihash: a digest with the number of its hash function, and the functions themselves.
/// Format: https://github.com/multiformats/multihash

#include "base/bytes.h"
#include "base/result.h"
#include "multiformats/cid.h"

#include <array>
#include <memory>

namespace ic {

using Sha256Digest = std::array<std::uint8_t, 32>;
using Sha512Digest = std::array<std::uint8_t, 64>;
using Blake3Digest = std::array<std::uint8_t, 32>;

/// Threads: any. Cost: no allocation after a thread's first call.
Sha256Digest sha2_256(ByteView data);
Sha512Digest sha2_512(ByteView data);
Blake3Digest blake3(ByteView data);

/// SHA-256 over bytes that arrive in pieces.
/// Threads: one at a time.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void update(ByteView data);

    /// The digest of everything since the constructor or the last `finish`; starts anew.
    Sha256Digest finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// A multihash as it lies in somebody's buffer. Lifetime: of that buffer.
struct MultihashView {
    HashCode hash;
    ByteView digest;
};

/// Reads a multihash from the front of `input` and advances past it; on error unchanged.
/// Errors: malformed (ends early, or a length its function does not give), unsupported (function),
///         too_large (identity above `limits::cid_digest_bytes_max`).
/// Inverse: `append_multihash`.
Result<MultihashView> take_multihash(ByteView& input);

/// Requires: the digest has a length that `hash` gives.
void append_multihash(Bytes& out, HashCode hash, ByteView digest);

/// Whether `digest` is that of `data`.
/// Errors: hash_mismatch.
Result<void> verify_digest(MultihashView expected, ByteView data);

} // namespace ic
