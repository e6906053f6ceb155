/// Property: what is accepted reads back from its own text, in version 00.

#include "base/bytes.h"
#include "traces/context.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto context = ic::traces::parse_traceparent(ic::text_of({data, size}));
    if (context) {
        const auto again = ic::traces::parse_traceparent(ic::traces::to_traceparent(*context));
        if (!again || *again != *context) {
            std::abort();
        }
    }
    return 0;
}
