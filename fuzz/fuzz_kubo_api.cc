/// Property: what is accepted becomes a URL, or the address of a socket, that means itself.

#include "base/bytes.h"
#include "kubo/api_address.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ic::Result<std::string> url = ic::kubo::api_url(ic::text_of({data, size}));
    if (!url) {
        return 0;
    }
    if (url->size() > ic::kubo::limits::api_address_bytes_max) {
        return 0; // A text at the limit may grow beyond it by the scheme.
    }
    const ic::Result<std::string> again = ic::kubo::api_url(*url);
    const bool is_socket = !ic::kubo::socket_of(*url).empty();
    if (!again || *again != *url || url->find_first_of(" \n") != std::string::npos ||
        (!is_socket && url->find_first_of("@?#\\") != std::string::npos)) {
        std::abort();
    }
    return 0;
}
