#pragma once
/// ContentPath: a CID and the names below it, as people write it.

#include "base/result.h"
#include "multiformats/cid.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ic::unixfs {

namespace limits {
/// Ours: what POSIX systems allow (PATH_MAX).
inline constexpr std::size_t path_bytes_max = 4096;
} // namespace limits

/// A value. `/ipfs/bafy.../dir/file`, `ipfs://bafy.../dir/file` and `bafy.../dir/file` are one.
struct ContentPath {
    Cid root;
    std::vector<std::string> names;

    /// Repeated slashes and one at the end mean nothing; names are taken as they are, without
    /// percent-decoding.
    /// Errors: malformed ("." and "..", zero bytes, a text that is no CID), unsupported (`/ipns/`),
    ///         too_large beyond `limits::path_bytes_max` or a name beyond `limits::name_bytes_max`.
    static Result<ContentPath> parse(std::string_view text);

    /// `/ipfs/` and the canonical text. Inverse: `parse`.
    std::string to_string() const;

    friend bool operator==(const ContentPath&, const ContentPath&) = default;
};

/// The names of a path below a CID: `dir/file`. Rules and errors as for `ContentPath::parse`.
Result<std::vector<std::string>> split_names(std::string_view path);

} // namespace ic::unixfs
