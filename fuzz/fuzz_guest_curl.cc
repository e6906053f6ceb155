/// Property: a guest's request that is accepted as an object, written again, reads as the same.

#include "net/guest_curl.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = ic::text_of({data, size});
    const ic::Result<ic::net::HttpRequest> request = ic::net::parse_guest_request(text);
    if (!request || !text.starts_with('{')) {
        return 0;
    }
    const ic::Result<ic::net::HttpRequest> again =
        ic::net::parse_guest_request(ic::net::encode_guest_request(*request));
    if (!again || again->url != request->url || again->method != request->method ||
        again->headers != request->headers || again->body != request->body) {
        std::abort();
    }
    return 0;
}
