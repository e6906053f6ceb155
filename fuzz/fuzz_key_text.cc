/// Property: whatever decodes, encodes back to exactly the line that was read.

#include "identity/key_text.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = ic::text_of({data, size});
    const ic::Result<ic::PrivateKey> key = ic::decode_key(text);
    if (!key) {
        return 0;
    }
    const std::string again = ic::encode_key(*key);
    if (text != again && text != again + "\n") {
        std::abort();
    }
    return 0;
}
