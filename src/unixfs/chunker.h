#pragma once
/// ChunkerSpec and Chunker: where the content of a file is cut into leaves.
/// Source: boxo v0.42 `chunker` (the text form, its bounds, the parameters of rabin).

#include "base/bytes.h"
#include "base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ic::unixfs {

namespace limits {
/// Kubo's: a block (2 MiB) less 256 bytes for what a UnixFS message and a node add to a chunk.
inline constexpr std::size_t chunk_bytes_max = (std::size_t{2} << 20U) - 256;
/// Kubo's, and the window that rabin looks through.
inline constexpr std::size_t rabin_chunk_bytes_min = 16;
} // namespace limits

/// A value: which chunker, and the sizes it keeps to.
struct ChunkerSpec {
    enum class Kind : std::uint8_t {
        fixed,   ///< Cuts after every `bytes_max` bytes.
        rabin,   ///< Cuts where a fingerprint of the last 16 bytes says so.
        buzhash, ///< Cuts where a rolling hash of the last 32 bytes says so; sizes are its own.
    };

    Kind kind = Kind::fixed;
    std::size_t bytes_min = 0;     ///< Of rabin: no cut before.
    std::size_t bytes_average = 0; ///< Of rabin: the power of two below decides how often.
    std::size_t bytes_max = std::size_t{1} << 20U;

    /// Requires: 0 < bytes <= `limits::chunk_bytes_max`.
    static constexpr ChunkerSpec fixed(std::size_t bytes) {
        return {.kind = Kind::fixed, .bytes_min = 0, .bytes_average = 0, .bytes_max = bytes};
    }

    /// From the text that Kubo's --chunker takes: "size-N", "rabin", "rabin-AVERAGE",
    /// "rabin-MIN-AVERAGE-MAX" (also with labels, "rabin-min:16-avg:32-max:64"), "buzhash", and
    /// "default" or nothing for size-262144.
    /// Errors: malformed (form, numbers, their order); too_large above `limits::chunk_bytes_max`;
    ///         unsupported for another name.
    static Result<ChunkerSpec> parse(std::string_view text);

    friend bool operator==(const ChunkerSpec&, const ChunkerSpec&) = default;
};

/// Finds the ends of chunks in bytes that arrive in pieces of any size; keeps none of them.
/// Threads: one at a time.
class Chunker {
public:
    explicit Chunker(const ChunkerSpec& spec);

    /// `bytes` follow what was given before. If the current chunk ends within them: how many of
    /// them still belong to it (1 or more); the rest is to be given again, as the start of the
    /// next chunk. Else nothing: all of them belong to it, and it goes on or ends with the file.
    std::optional<std::size_t> find_end(ByteView bytes);

private:
    std::optional<std::size_t> find_fixed(ByteView bytes);
    std::optional<std::size_t> find_rabin(ByteView bytes);
    std::optional<std::size_t> find_buzhash(ByteView bytes);
    void start_chunk();

    static constexpr std::size_t window_bytes_max = 32;

    ChunkerSpec spec_;
    std::uint64_t mask_ = 0;
    std::size_t chunk_bytes_ = 0; ///< Of the current chunk, given already.
    std::uint64_t hash_ = 0;
    std::array<std::uint8_t, window_bytes_max> window_{}; ///< The last bytes given, as a ring.
    std::size_t window_at_ = 0;
};

} // namespace ic::unixfs
