#pragma once
/// Metadata: mode and modification time of a file, directory or symlink, where they are kept.
/// Format: https://specs.ipfs.tech/unixfs/, "Data", fields 7 and 8, and "UnixTime".

#include "base/bytes.h"
#include "base/result.h"

#include <compare>
#include <cstdint>
#include <optional>

namespace ic::unixfs {

namespace limits {
/// The format's: a second has so many.
inline constexpr std::uint32_t nanoseconds_max = 999'999'999;
/// Permissions, and set-user, set-group and sticky: all that Kubo writes of a mode.
inline constexpr std::uint32_t mode_max = 07777;
} // namespace limits

/// A point in time: `seconds` since 1970, and `nanoseconds` after them, also before 1970.
struct UnixTime {
    std::int64_t seconds = 0;
    std::uint32_t nanoseconds = 0; ///< At most `limits::nanoseconds_max`.

    friend auto operator<=>(const UnixTime&, const UnixTime&) = default;
};

/// The message in field 8 of a Data. Nanoseconds stand there only if there are some.
/// Inverse: `decode_unix_time`.
Bytes encode_unix_time(const UnixTime& time);

/// Reads exactly one message, in the one form that `encode_unix_time` writes.
/// Errors: malformed.
Result<UnixTime> decode_unix_time(ByteView input);

/// What is written into the root node of a file, into a directory or a symlink; mostly nothing.
/// A leaf that is bare bytes has no room for it: files with metadata need `Leaves::dag_pb`.
struct Metadata {
    /// Low 12 bits. Symlinks have none. A file's mode 0 is left out, a directory's is written:
    /// as Kubo does.
    std::optional<std::uint32_t> mode{};
    std::optional<UnixTime> mtime{};

    bool empty() const { return !mode && !mtime; }

    friend bool operator==(const Metadata&, const Metadata&) = default;
};

} // namespace ic::unixfs
