/// Property: an entry of an allow-list, or an opened address, that is accepted is written as read
/// (an address: means the same), and allows itself.

#include "net/http_client.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = ic::text_of({data, size});
    const ic::Result<ic::net::HostRule> rule = ic::net::HostRule::parse(text);
    if (rule &&
        (rule->to_string() != text || !rule->allows(rule->host, rule->port.value_or(443)))) {
        std::abort();
    }
    const ic::Result<ic::net::OpenedAddress> opened = ic::net::OpenedAddress::parse(text);
    if (opened) {
        const std::string host = "[" + opened->address.to_string() + "]";
        const bool four = opened->address.is_v4();
        const std::string written = (four ? opened->address.to_string() : host) +
                                    (opened->port ? ":" + std::to_string(*opened->port) : "");
        const ic::Result<ic::net::OpenedAddress> again = ic::net::OpenedAddress::parse(written);
        if (!again || *again != *opened) {
            std::abort();
        }
    }
    return 0;
}
