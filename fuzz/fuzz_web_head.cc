/// Property: what is let through means the same to a reader that splits it by lines alone, which
/// finds one head, one Host of HTTP/1.1 and at most one word on where the body ends.

#include "base/bytes.h"
#include "net/web_head.h"

#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string head(ic::text_of({data, size}));
    if (ic::net::refusal_of_head(head)) {
        return 0;
    }
    int hosts = 0;
    int ends = 0;
    std::string normal;
    std::size_t begin = 0;
    while (begin < head.size()) {
        const std::size_t end = head.find('\n', begin);
        std::string line = head.substr(begin, end - begin);
        begin = end + 1;
        if (line.empty() || line.back() != '\r' || (line == "\r" && begin != head.size())) {
            std::abort();
        }
        std::string name = normal.empty() ? "" : line.substr(0, line.find(':')); // Not the first's.
        for (char& letter : name) {
            letter =
                letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
        }
        hosts += name == "host" ? 1 : 0;
        ends += name == "content-length" || name == "transfer-encoding" ? 1 : 0;
        normal += line + "\n";
    }
    if (normal != head || hosts > 1 || ends > 1 || ic::net::refusal_of_head(normal)) {
        std::abort();
    }
    return 0;
}
