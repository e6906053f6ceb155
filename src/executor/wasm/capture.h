#pragma once
/// Capture: what a guest writes to standard output, standard error and the log, kept whole within
/// the limits, and handed on in pieces.

#include "base/bytes.h"
#include "executor/wasm/services.h"

#include <cstddef>
#include <cstdint>

namespace ic::executor::wasm {

namespace limits {
/// Ours: a longer message becomes several lines, so that each fits a message of the channel.
inline constexpr std::size_t log_line_bytes_max = std::size_t{32} << 10U;
} // namespace limits

/// Threads: one.
class Capture {
public:
    /// Forgets all; output and errors together hold `output_bytes_max`, the log `log_bytes_max`.
    void begin(std::uint64_t output_bytes_max, std::uint64_t log_bytes_max);

    /// Takes what still fits. Whether that was all of `data`.
    [[nodiscard]] bool write(job::Stream stream, ByteView data);

    /// Takes one message as one line, or several: at each "\n" in it and after every
    /// `limits::log_line_bytes_max`; one "\n" at its end means nothing. Takes nothing and says
    /// false if the lines would not fit.
    [[nodiscard]] bool log(ByteView message);

    /// Hands on what was not yet handed on.
    void flush(Services& services);

    const Bytes& output() const { return output_.bytes; }

    const Bytes& errors() const { return errors_.bytes; }

    const Bytes& lines() const { return log_.bytes; }

    /// Moves all three out, whole.
    void take(Bytes& output, Bytes& errors, Bytes& lines);

private:
    struct Stream {
        Bytes bytes;
        std::size_t handed_on = 0;
    };

    static void flush_stream(Stream& stream, job::Stream name, Services& services);

    Stream output_;
    Stream errors_;
    Stream log_;
    std::uint64_t output_bytes_max_ = 0;
    std::uint64_t log_bytes_max_ = 0;
};

} // namespace ic::executor::wasm
