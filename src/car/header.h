#pragma once
/// The header of a CAR: which version it is, and the CIDs that it is about.
/// Format: https://ipld.io/specs/transport/car/carv1/, docs/formats/car.md.

#include "base/bytes.h"
#include "base/result.h"
#include "multiformats/cid.h"

#include <cstddef>
#include <span>
#include <vector>

namespace ic::car {

namespace limits {
/// Ours: room for some 25,000 roots. A header is held in memory whole.
inline constexpr std::size_t header_bytes_max = std::size_t{1} << 20U;
} // namespace limits

struct Header {
    /// 1, or 2 for the pragma of a CARv2, which has no roots of its own.
    int version = 1;
    std::vector<Cid> roots{};

    friend bool operator==(const Header&, const Header&) = default;
};

/// The header of a CARv1, with its length in front: what a CAR starts with.
/// Requires: less than `limits::header_bytes_max`. Inverse: `decode_header`.
Bytes encode_header(std::span<const Cid> roots);

/// Reads a header without the length in front of it.
/// Errors: malformed (not canonical DAG-CBOR; other keys than `roots` and `version`), unsupported
///         (another version, hash function of a root). Inverse: `encode_header`.
Result<Header> decode_header(ByteView input);

} // namespace ic::car
