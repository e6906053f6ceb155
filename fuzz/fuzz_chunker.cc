/// The input is the text of a chunker, a line feed, a byte, and content that is given once as a
/// whole and once in pieces of as many bytes as that byte says. Properties: a spec that parses
/// keeps to its bounds, the cuts are the same both times, and every chunk is as long as it may be.

#include "unixfs/chunker.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace {

namespace unixfs = ic::unixfs;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

/// The chunks that ended.
std::vector<std::size_t>
chunks_of(const unixfs::ChunkerSpec& spec, ic::ByteView content, std::size_t piece_bytes) {
    unixfs::Chunker chunker(spec);
    std::vector<std::size_t> chunks;
    std::size_t open = 0;
    while (!content.empty()) {
        const ic::ByteView piece = content.first(std::min(content.size(), piece_bytes));
        const std::optional<std::size_t> end = chunker.find_end(piece);
        require(!end || (*end > 0 && *end <= piece.size()));
        open += end.value_or(piece.size());
        content = content.subspan(end.value_or(piece.size()));
        if (end) {
            chunks.push_back(open);
            open = 0;
        }
    }
    require(spec.kind == unixfs::ChunkerSpec::Kind::buzhash || open < spec.bytes_max);
    return chunks;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ic::ByteView input{data, size};
    const std::string_view text = ic::text_of(input);
    const std::size_t line_end = std::min(text.find('\n'), size);
    const ic::Result<unixfs::ChunkerSpec> spec =
        unixfs::ChunkerSpec::parse(text.substr(0, line_end));
    if (!spec || size - line_end < 2) {
        return 0;
    }
    const std::size_t piece_bytes = std::max<std::size_t>(input[line_end + 1], 1);
    const ic::ByteView content = input.subspan(line_end + 2);
    const std::vector<std::size_t> whole =
        chunks_of(*spec, content, std::max<std::size_t>(1, size));
    require(whole == chunks_of(*spec, content, piece_bytes));
    for (const std::size_t chunk : whole) {
        require(chunk >= spec->bytes_min && chunk <= unixfs::limits::chunk_bytes_max);
        require(spec->kind != unixfs::ChunkerSpec::Kind::fixed || chunk == spec->bytes_max);
        require(spec->kind != unixfs::ChunkerSpec::Kind::rabin || chunk <= spec->bytes_max);
    }
    return 0;
}
