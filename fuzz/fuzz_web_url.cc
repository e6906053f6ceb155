/// Property: a URL that is accepted means the same when it is written from its parts.

#include "base/bytes.h"
#include "net/web_url.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ic::Result<ic::net::WebUrl> url = ic::net::WebUrl::parse(ic::text_of({data, size}));
    if (url) {
        const bool tls = url->scheme == ic::net::WebUrl::Scheme::tls;
        const ic::Result<ic::net::WebUrl> again =
            ic::net::WebUrl::parse((tls ? "wss://" : "ws://") + url->authority() + url->target);
        if (!again || *again != *url) {
            std::abort();
        }
    }
    return 0;
}
