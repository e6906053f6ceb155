#pragma once
/// Cid: the name of content, made from its bytes.
/// Format: https://github.com/multiformats/cid (v0 and v1), multihash, multibase.

#include "base/bytes.h"
#include "base/result.h"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ic {

/// Multicodec numbers of the content types that this project reads or writes.
/// Source: multiformats/multicodec, table.csv.
enum class Codec : std::uint64_t {
    cbor = 0x51,
    raw = 0x55,
    dag_pb = 0x70,
    dag_cbor = 0x71,
    libp2p_key = 0x72,
    dag_json = 0x0129,
    json = 0x0200,
};

/// Multihash numbers of the hash functions that may stand in a CID we accept.
enum class HashCode : std::uint64_t {
    identity = 0x00,
    sha2_256 = 0x12,
    sha2_512 = 0x13,
    blake3 = 0x1e,
};

namespace limits {
/// Kubo's verifcid.MaxIdentityDigestSize (boxo v0.42); larger digests of other hashes do not exist.
inline constexpr std::size_t cid_digest_bytes_max = 128;
/// Version, a 9-byte codec, function, length and the longest digest.
inline constexpr std::size_t cid_bytes_max = 1 + 9 + 1 + 2 + cid_digest_bytes_max;
/// The longest CID in base16, the longest text of all bases we read.
inline constexpr std::size_t cid_text_bytes_max = 1 + 2 * cid_bytes_max;
} // namespace limits

/// A value: version, codec, hash function and digest. Unknown codecs are kept (a CID may be passed
/// on without being understood); unknown hash functions are refused, since they cannot be verified.
class Cid {
public:
    /// An empty identity CID of raw bytes (`bafkqaaa`): names nothing in particular.
    Cid();
    Cid(const Cid&) = default;
    Cid& operator=(const Cid&) = default;
    ~Cid() = default;

    /// Requires: 32 bytes.
    static Cid v0(ByteView sha2_256_digest);
    /// Requires: a length of digest that `hash` gives (identity: at most `cid_digest_bytes_max`).
    static Cid v1(Codec codec, HashCode hash, ByteView digest);

    /// From text: `Qm...` (v0) or multibase (b, z, f, k, u, ...) v1.
    /// Errors: malformed, unsupported (hash function), too_large. Inverse: `to_string`.
    static Result<Cid> parse(std::string_view text);

    /// From exactly these bytes. Errors as `take`. Inverse: `bytes`.
    static Result<Cid> from_bytes(ByteView bytes);

    /// Reads a binary CID from the front of `input` and advances past it; on error unchanged.
    static Result<Cid> take(ByteView& input);

    int version() const;
    Codec codec() const;
    HashCode hash() const;
    ByteView digest() const;
    /// The binary form: a bare multihash for v0. Lifetime: as this Cid.
    ByteView bytes() const;
    /// The hash part alone: what Kubo's blockstore keys on, the same for v0 and v1 of one block.
    ByteView multihash() const;

    /// v0 in base58btc, v1 in base32 lower case: as Kubo prints them.
    std::string to_string() const;

    /// The same content named as version 1 (codec and hash unchanged).
    Cid as_v1() const;

    /// Whether `data` is what this CID names.
    /// Errors: hash_mismatch.
    Result<void> verify(ByteView data) const;

    friend bool operator==(const Cid& left, const Cid& right);
    /// Order of the binary forms.
    friend std::strong_ordering operator<=>(const Cid& left, const Cid& right);

private:
    /// Requires: `binary` is a whole CID whose multihash begins at `multihash_at`.
    Cid(ByteView binary, std::size_t multihash_at);

    /// SHA-256 CIDs take 34 to 38 bytes; only longer ones are kept outside, shared by all copies
    /// since nobody writes to them. No move: a moved-from Cid would otherwise name nothing.
    static constexpr std::size_t inline_bytes_max = 40;

    std::array<std::uint8_t, inline_bytes_max> inline_{};
    std::uint8_t size_ = 0;
    std::uint8_t multihash_at_ = 0; ///< 0 in version 0 alone.
    std::shared_ptr<const Bytes> outside_;
};

/// SHA-256 over `data`, as a v1 CID of `codec`: what nearly everything here is named by.
Cid cid_of(Codec codec, ByteView data);
/// The same with another function. Requires: for identity at most `cid_digest_bytes_max` bytes.
Cid cid_of(Codec codec, HashCode hash, ByteView data);

} // namespace ic

template <>
struct std::hash<ic::Cid> {
    std::size_t operator()(const ic::Cid& cid) const noexcept;
};
