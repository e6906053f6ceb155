#include "archive/gzip_writer.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>

namespace ic::archive {
namespace {

constexpr std::size_t piece_bytes = std::size_t{64} << 10U;
constexpr int window_bits_of_gzip = 15 + 16; // zlib.h: 16 more asks for gzip's framing.
constexpr int memory_level = 8;              // zlib's own default.
constexpr int system_unknown = 255;          // RFC 1952, section 2.3.1, "OS"; as Go writes it.

} // namespace

struct GzipWriter::Stream {
    explicit Stream(ByteSink& to) : sink(to) {}

    ~Stream() {
        if (is_open) {
            deflateEnd(&state);
        }
    }

    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    ByteSink& sink;
    z_stream state{};
    gz_header header{};
    bool is_open = false;
    std::array<std::uint8_t, piece_bytes> out{};
};

GzipWriter::GzipWriter(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

GzipWriter::~GzipWriter() = default;

Result<std::unique_ptr<GzipWriter>> GzipWriter::open(ByteSink& sink, int level) {
    assert(level >= limits::gzip_level_min && level <= limits::gzip_level_max);
    auto stream = std::make_unique<Stream>(sink);
    stream->header.os = system_unknown;
    const int opened = deflateInit2(
        &stream->state, level, Z_DEFLATED, window_bits_of_gzip, memory_level, Z_DEFAULT_STRATEGY);
    stream->is_open = opened == Z_OK;
    if (!stream->is_open || deflateSetHeader(&stream->state, &stream->header) != Z_OK) {
        return Error{Errc::internal, "no memory to compress with"};
    }
    return std::unique_ptr<GzipWriter>(new GzipWriter(std::move(stream)));
}

Result<void> GzipWriter::write(ByteView bytes) {
    constexpr std::size_t at_once = std::numeric_limits<uInt>::max();
    while (!bytes.empty()) {
        const std::size_t taken = std::min(bytes.size(), at_once);
        TRY(run(bytes.first(taken), Z_NO_FLUSH));
        bytes = bytes.subspan(taken);
    }
    return {};
}

Result<void> GzipWriter::finish() { return run({}, Z_FINISH); }

Result<void> GzipWriter::run(ByteView bytes, int flush) {
    z_stream& state = stream_->state;
    state.next_in = const_cast<Bytef*>(bytes.data()); // zlib reads it; its C type cannot say so.
    state.avail_in = static_cast<uInt>(bytes.size());
    do {
        state.next_out = stream_->out.data();
        state.avail_out = static_cast<uInt>(piece_bytes);
        const int done = deflate(&state, flush);
        assert(done != Z_STREAM_ERROR);
        (void)done;
        const std::size_t made = piece_bytes - state.avail_out;
        if (made != 0) {
            TRY(stream_->sink.write(ByteView{stream_->out}.first(made)));
        }
    } while (state.avail_out == 0);
    assert(state.avail_in == 0);
    return {};
}

} // namespace ic::archive
