/// CARs of both versions. Properties: however the bytes are cut into pieces, the same blocks come
/// out and the same error; every block is what its CID says; what is counted as whole decodes
/// without an error; and a CARv1 whose blocks were read is written again byte for byte.

#include "car/decoder.h"
#include "car/writer.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

namespace car = ic::car;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

struct Outcome {
    ic::Bytes rewritten; ///< Header and sections as a CARv1.
    std::string error;   ///< Empty: none.
    std::uint64_t whole_bytes = 0;
    int version = 0;
};

void append(ic::Bytes& out, ic::ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

Outcome read(ic::ByteView input, std::size_t piece_bytes) {
    car::Decoder decoder;
    Outcome outcome;
    ic::Bytes sections;
    const auto run = [&]() -> ic::Result<void> {
        while (!input.empty()) {
            ic::ByteView piece = input.first(std::min(piece_bytes, input.size()));
            input = input.subspan(piece.size());
            while (!piece.empty()) {
                if (const std::optional<ic::Block> block = TRY(decoder.take(piece))) {
                    require(block->cid.verify(block->data.view()).ok());
                    append(sections, car::section_head(block->cid, block->data.size()));
                    append(sections, block->data.view());
                }
            }
        }
        return decoder.finish();
    };
    if (const ic::Result<void> result = run(); !result) {
        outcome.error = result.error().message;
    }
    if (decoder.header()) {
        outcome.rewritten = car::encode_header(decoder.header()->roots);
        append(outcome.rewritten, sections);
    }
    outcome.whole_bytes = decoder.whole_bytes();
    outcome.version = decoder.version();
    return outcome;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ic::ByteView input{data, size};
    const Outcome whole = read(input, std::max<std::size_t>(size, 1));
    for (const std::size_t piece_bytes : {std::size_t{1}, std::size_t{13}}) {
        const Outcome pieces = read(input, piece_bytes);
        require(pieces.rewritten == whole.rewritten && pieces.error == whole.error &&
                pieces.whole_bytes == whole.whole_bytes);
    }
    require(whole.whole_bytes <= size);
    if (whole.version == 1) {
        require(std::ranges::equal(whole.rewritten, input.first(whole.whole_bytes)));
        require(whole.error.empty() == (whole.whole_bytes == size));
    }
    if (!whole.rewritten.empty()) {
        const Outcome again = read(whole.rewritten, whole.rewritten.size());
        require(again.error.empty() && again.rewritten == whole.rewritten);
    }
    return 0;
}
