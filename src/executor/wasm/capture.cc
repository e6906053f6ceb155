#include "executor/wasm/capture.h"

#include <algorithm>
#include <utility>

namespace ic::executor::wasm {
namespace {

/// The first line of `message`, without its end, taken off its front.
ByteView take_line(ByteView& message) {
    const ByteView head = message.first(std::min(message.size(), limits::log_line_bytes_max));
    const auto end = std::ranges::find(head, std::uint8_t{'\n'});
    const ByteView line = head.first(static_cast<std::size_t>(end - head.begin()));
    message = message.subspan(line.size());
    if (!message.empty() && message.front() == '\n') {
        message = message.subspan(1);
    }
    return line;
}

} // namespace

void Capture::begin(std::uint64_t output_bytes_max, std::uint64_t log_bytes_max) {
    for (Stream* stream : {&output_, &errors_, &log_}) {
        stream->bytes.clear();
        stream->handed_on = 0;
    }
    output_bytes_max_ = output_bytes_max;
    log_bytes_max_ = log_bytes_max;
}

bool Capture::write(job::Stream stream, ByteView data) {
    const std::uint64_t used = output_.bytes.size() + errors_.bytes.size();
    const std::uint64_t room = output_bytes_max_ - std::min(used, output_bytes_max_);
    const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(room, data.size()));
    Bytes& bytes = stream == job::Stream::output ? output_.bytes : errors_.bytes;
    const ByteView fits = data.first(count);
    bytes.insert(bytes.end(), fits.begin(), fits.end());
    return count == data.size();
}

bool Capture::log(ByteView message) {
    if (!message.empty() && message.back() == '\n') {
        message = message.first(message.size() - 1);
    }
    const std::size_t before = log_.bytes.size();
    // Checked before anything is copied: a message may be as large as the guest's memory.
    if (message.size() >= log_bytes_max_ - std::min<std::uint64_t>(before, log_bytes_max_)) {
        return false;
    }
    do {
        const ByteView line = take_line(message);
        log_.bytes.insert(log_.bytes.end(), line.begin(), line.end());
        log_.bytes.push_back('\n');
    } while (!message.empty());
    if (log_.bytes.size() > log_bytes_max_) {
        log_.bytes.resize(before);
        return false;
    }
    return true;
}

void Capture::flush_stream(Stream& stream, job::Stream name, Services& services) {
    while (stream.handed_on < stream.bytes.size()) {
        const ByteView rest = ByteView(stream.bytes).subspan(stream.handed_on);
        const ByteView piece =
            rest.first(std::min(rest.size(), job::limits::output_piece_bytes_max));
        // Counted first: what a failed call was given is not given again.
        stream.handed_on += piece.size();
        services.output(name, piece);
    }
}

void Capture::flush(Services& services) {
    flush_stream(output_, job::Stream::output, services);
    flush_stream(errors_, job::Stream::errors, services);
    while (log_.handed_on < log_.bytes.size()) {
        ByteView piece = ByteView(log_.bytes).subspan(log_.handed_on);
        if (piece.size() > limits::log_piece_bytes_max) {
            piece = piece.first(limits::log_piece_bytes_max);
            // Lines are shorter than a piece, so there is an end of one.
            while (piece.back() != '\n') {
                piece = piece.first(piece.size() - 1);
            }
        }
        log_.handed_on += piece.size();
        services.log(text_of(piece));
    }
}

void Capture::take(Bytes& output, Bytes& errors, Bytes& lines) {
    output = std::exchange(output_.bytes, {});
    errors = std::exchange(errors_.bytes, {});
    lines = std::exchange(log_.bytes, {});
}

} // namespace ic::executor::wasm
