/// Property: what is accepted is within its bound and is written as it was read.

#include "base/bytes.h"
#include "job/provider.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace ic::job;
    const std::string_view text = ic::text_of({data, size});
    const ic::Result<Provider> provider = Provider::parse(text);
    if (provider && (text.size() > limits::provider_bytes_max || provider->to_string() != text)) {
        std::abort();
    }
    return 0;
}
