#pragma once
/// TarWriter: a tar archive as a stream, byte for byte as Kubo's `get --archive` writes it.
/// Format: POSIX.1-2001 "ustar" and "pax" (IEEE Std 1003.1, pax, "ustar Interchange Format"). Where
/// those leave room it is what Go's archive/tar writes: pax records only for what ustar cannot
/// hold.

#include "archive/byte_sink.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace ic::archive {

namespace limits {
/// Ours: a path or target, so that one entry's headers stay below a megabyte (archive/tar's bound).
inline constexpr std::size_t tar_name_bytes_max = std::size_t{256} << 10U;
} // namespace limits

/// A value. Units: since 1970-01-01 UTC, may be before it.
struct TarTime {
    std::int64_t seconds = 0;
    std::uint32_t nanoseconds = 0; ///< Below 1e9; rounded to whole seconds in the archive.

    friend bool operator==(const TarTime&, const TarTime&) = default;
};

enum class TarType : std::uint8_t { file, directory, symlink };

struct TarEntry {
    TarType type = TarType::file;
    std::string path{};     ///< With '/', relative, none at its end.
    std::string target{};   ///< Of a symlink.
    std::uint64_t size = 0; ///< Of a file, bytes.
    std::uint32_t mode = 0; ///< 12 permission bits.
    TarTime modified{};
};

/// Writes entries one after the other: `begin`, for a file exactly its bytes with `write`, and at
/// the end `finish`. Threads: one at a time. Lifetime: the sink outlives it.
class TarWriter {
public:
    explicit TarWriter(ByteSink& sink) : sink_(sink) {}

    /// Errors: malformed for a path or target with a zero byte; too_large beyond
    /// `limits::tar_name_bytes_max`; the sink's. Requires: the entry before is complete.
    Result<void> begin(const TarEntry& entry);

    /// Content of the file that was begun. Errors: the sink's; too_large for more than its size.
    Result<void> write(ByteView content);

    /// The two empty blocks at the end. Errors: the sink's. Requires: as `begin`.
    Result<void> finish();

private:
    Result<void> pad();
    Result<void> write_pax(const TarEntry& entry, const std::string& records);

    ByteSink& sink_;
    std::uint64_t left_ = 0;  ///< Bytes of the current file that are still to come.
    std::size_t padding_ = 0; ///< Then these.
};

} // namespace ic::archive
