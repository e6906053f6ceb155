/// Property: text that decodes is the only text of its bytes in its base.

#include "multiformats/multibase.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = ic::text_of({data, size});
    const ic::Result<ic::Bytes> bytes = ic::multibase::decode(text);
    if (bytes && ic::multibase::encode(ic::Base{text.front()}, *bytes) != text) {
        std::abort();
    }
    return 0;
}
