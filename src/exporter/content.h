#pragma once
/// The content of a file as a stream, and where such streams go on this machine.

#include "archive/byte_sink.h"
#include "base/bytes.h"
#include "base/result.h"
#include "unixfs/file_reader.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

namespace ic::exporter {

/// Told of bytes that have been passed on, since it was last told. May be empty.
using OnBytes = std::function<void(std::uint64_t)>;

/// A part of a file. What lies behind its end is not there.
struct Range {
    std::uint64_t offset = 0;
    std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();
};

/// Hands on what `range` covers, each block as the source lends it: nothing is copied here.
/// Errors: as the reader and the sink.
Result<void> copy_content(unixfs::FileReader& reader,
                          const Range& range,
                          archive::ByteSink& sink,
                          const OnBytes& on_bytes);

/// Writes to a descriptor, in pieces as large as they come. Lifetime: the descriptor is the
/// caller's. Threads: one.
class FdSink final : public archive::ByteSink {
public:
    /// `path` is for messages.
    FdSink(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

    /// Errors: storage_full, unavailable and others of `system_error`.
    Result<void> write(ByteView bytes) override;

private:
    int fd_;
    std::string path_;
};

} // namespace ic::exporter
