#pragma once
/// Multibase: bytes as text, with one leading character that says in which base.
/// Format: https://github.com/multiformats/multibase, RFC 4648 for the powers of two.

#include "base/bytes.h"
#include "base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace ic {

namespace limits {
/// Ours: base36 and base58btc take time that grows with the square of the length, so longer texts
/// in these two bases are refused. CIDs, keys and signatures are far below.
inline constexpr std::size_t positional_text_bytes_max = 1024;
} // namespace limits

/// The bases we read and write; each value is the leading character.
enum class Base : char {
    base16 = 'f',
    base16_upper = 'F',
    base32 = 'b',
    base32_upper = 'B',
    base36 = 'k',
    base36_upper = 'K',
    base58btc = 'z',
    base64 = 'm',
    base64_pad = 'M',
    base64url = 'u',
    base64url_pad = 'U',
};

namespace multibase {

/// The leading character and then `encode_bare`. Inverse: `decode`.
std::string encode(Base base, ByteView bytes);

/// Reads text with its leading character.
/// Errors: unsupported for another base, else as `decode_bare`.
Result<Bytes> decode(std::string_view text);

/// Without the leading character. Inverse: `decode_bare`.
std::string encode_bare(Base base, ByteView bytes);

/// Reads text of a base that is known otherwise. Strict: only what `encode_bare` can have written,
/// so the letters have one case, padding is exact and unused bits are zero.
/// Errors: malformed; too_large beyond `limits::positional_text_bytes_max`.
Result<Bytes> decode_bare(Base base, std::string_view text);

} // namespace multibase
} // namespace ic
