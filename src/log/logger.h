#pragma once
/// Logger: entries as lines, for people or for programs. Format: docs/formats/log.md.

#include "log/entry.h"
#include "log/line_writer.h"

#include <cstdint>
#include <functional>
#include <string>

namespace ic::log {

enum class Format : std::uint8_t {
    text, ///< `ipfs-compute: MESSAGE`; a guest's line is `JOB log: MESSAGE`.
    json, ///< One object a line.
};

/// "text", "json". Inverse: `parse_format`.
std::string_view name(Format format);
std::optional<Format> parse_format(std::string_view name);

enum class Colours : std::uint8_t { none, ansi };

/// Milliseconds since 1970-01-01 UTC.
using UnixClock = std::function<std::int64_t()>;

/// The wall clock. Not for pure code.
std::int64_t unix_milliseconds();

/// "2026-11-26T03:44:12.123Z", for years 1970 to 9999. Source: RFC 3339, section 5.6.
std::string rfc3339_of(std::int64_t milliseconds);

/// The line of an entry, with its end. Requires: no field has a name of the frame (time, level,
/// source, message).
std::string text_line(const Entry& entry, Colours colours);
std::string json_line(const Entry& entry, std::int64_t milliseconds);

struct LoggerOptions {
    Format format = Format::text;
    Level lowest = Level::info;
    Colours colours = Colours::none; ///< Of text.
    UnixClock clock = &unix_milliseconds;
};

/// Makes each line on the caller's thread, whom that costs about a microsecond, and writes it
/// elsewhere. Threads: any. Lifetime: `descriptor` stays the caller's and outlives this; sinks are
/// not told anything after it.
class Logger {
public:
    Logger(int descriptor, LoggerOptions options);

    Sink sink();

    Format format() const { return options_.format; }

    /// Lines that nobody read in time. Threads: any.
    std::uint64_t lines_dropped() const { return writer_.lines_dropped(); }

private:
    std::string line_of(const Entry& entry) const;

    const LoggerOptions options_;
    LineWriter writer_; // Last: its thread asks for lines.
};

} // namespace ic::log
