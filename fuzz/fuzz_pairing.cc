/// Properties: an introduction that decodes encodes back to the same bytes; an attempt that is
/// given any payloads at all never succeeds, and stays over once it is.

#include "session/pairing.h"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ic;
    const ByteView input{data, size};
    if (const Result<session::Introduction> read = session::decode_introduction(input);
        read && !std::ranges::equal(session::encode(*read), input)) {
        std::abort();
    }
    if (size == 0) {
        return 0;
    }
    session::PairingOptions options;
    options.role = data[0] % 2 == 0 ? session::PairRole::inviter : session::PairRole::joiner;
    options.code = {0x12345678U & 0x3fffffffU};
    options.seed.fill(7);
    const Instant now{std::chrono::seconds(1)};
    session::Pairing pairing(options, now);
    static_cast<void>(pairing.first());
    ByteView rest = input.subspan(1);
    bool is_over = false;
    while (!rest.empty()) {
        // A byte of length before each payload.
        const std::size_t length = std::min<std::size_t>(rest.front(), rest.size() - 1);
        const Result<session::PairStep> step = pairing.take(rest.subspan(1, length), now);
        if ((is_over && step.ok()) || (step && step->other)) {
            std::abort();
        }
        is_over = !step.ok();
        rest = rest.subspan(1 + length);
    }
    return 0;
}
