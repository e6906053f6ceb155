#pragma once
/// GzipWriter: compresses a stream. What it stands on (zlib) is seen by its source alone.
/// Format: RFC 1952.

#include "archive/byte_sink.h"

#include <memory>

namespace ic::archive {

namespace limits {
inline constexpr int gzip_level_min = 1; ///< The fastest.
inline constexpr int gzip_level_max = 9; ///< The smallest.
inline constexpr int gzip_level_default = 6;
} // namespace limits

/// Compresses what is written and hands it on, in pieces of 64 KiB. The header has no name and no
/// time, so that one content gives one file. Threads: one at a time. Lifetime: the sink outlives
/// it.
class GzipWriter final : public ByteSink {
public:
    /// Requires: a level within the limits. Errors: internal when memory is short.
    static Result<std::unique_ptr<GzipWriter>> open(ByteSink& sink, int level);

    GzipWriter(const GzipWriter&) = delete;
    GzipWriter& operator=(const GzipWriter&) = delete;
    ~GzipWriter() override;

    /// Errors: the sink's.
    Result<void> write(ByteView bytes) override;

    /// What is still held back, and the checksum. Nothing can be written after it. Errors: the
    /// sink's.
    Result<void> finish();

private:
    struct Stream;
    explicit GzipWriter(std::unique_ptr<Stream> stream);
    Result<void> run(ByteView bytes, int flush);

    std::unique_ptr<Stream> stream_;
};

} // namespace ic::archive
