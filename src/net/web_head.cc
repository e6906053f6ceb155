#include "net/web_head.h"

#include "net/http_target.h"
#include "net/web_exchange.h"

#include <algorithm>
#include <utility>

namespace ic::net {
namespace {

constexpr std::string_view line_end = "\r\n";

/// Every CR is before an LF, and every LF behind a CR; no NUL.
bool has_clean_lines(std::string_view head) {
    for (std::size_t at = 0; at < head.size(); ++at) {
        const char letter = head[at];
        if (letter == '\0' || (letter == '\n' && (at == 0 || head[at - 1] != '\r')) ||
            (letter == '\r' && (at + 1 == head.size() || head[at + 1] != '\n'))) {
            return false;
        }
    }
    return head.ends_with("\r\n\r\n");
}

/// Takes the next line off, without its end.
std::string_view take_line(std::string_view& rest) {
    const std::size_t end = rest.find(line_end);
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + line_end.size());
    return line;
}

std::optional<WebRefusal> refusal_of_first_line(std::string_view line) {
    const std::size_t begin = line.find(' ');
    const std::size_t end = line.rfind(' ');
    if (begin == std::string_view::npos || begin == end) {
        return WebRefusal{400, "this is no HTTP request"};
    }
    if (end - begin - 1 > limits::web_target_bytes_max) {
        return WebRefusal{414, "the path is too long"};
    }
    const std::string_view version = line.substr(end + 1);
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        return version.starts_with("HTTP/")
                   ? WebRefusal{505, "only HTTP/1.1 and HTTP/1.0 are spoken here"}
                   : WebRefusal{400, "this is no HTTP request"};
    }
    return std::nullopt;
}

/// How often those headers came that say where a request ends and whom it is for.
struct Seen {
    int hosts = 0;
    int lengths = 0;
    int codings = 0;
    std::string coding{};

    void take(std::string_view name, std::string_view value) {
        const std::string plain = lower(name);
        if (plain == "host") {
            ++hosts;
        } else if (plain == "content-length") {
            ++lengths;
        } else if (plain == "transfer-encoding") {
            ++codings;
            coding = lower(trimmed(value));
        }
    }
};

} // namespace

std::optional<WebRefusal> refusal_of_head(std::string_view head) {
    if (!has_clean_lines(head)) {
        return WebRefusal{400, "its lines do not end with CR LF"};
    }
    const std::string_view first = take_line(head);
    if (const auto refusal = refusal_of_first_line(first)) {
        return refusal;
    }
    Seen seen;
    std::size_t count = 0;
    for (std::string_view line = take_line(head); !line.empty(); line = take_line(head)) {
        if (++count > limits::web_headers_max) {
            return WebRefusal{431, "it has too many headers"};
        }
        if (line.starts_with(' ') || line.starts_with('\t')) {
            return WebRefusal{400, "a header goes on in a second line"};
        }
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) {
            return WebRefusal{400, "a header has no colon"};
        }
        seen.take(line.substr(0, colon), line.substr(colon + 1));
    }
    if (!head.empty()) {
        return WebRefusal{400, "a blank line is in its head"};
    }
    if (seen.lengths + seen.codings > 1) {
        return WebRefusal{400, "it says more than once where its body ends"};
    }
    if (seen.codings == 1 && seen.coding != "chunked") {
        return WebRefusal{501, "no transfer coding but chunked is known here"};
    }
    const bool is_1_1 = first.ends_with("1.1");
    if (seen.codings == 1 && !is_1_1) {
        return WebRefusal{400, "HTTP/1.0 has no transfer codings"};
    }
    if (seen.hosts > 1 || (seen.hosts == 0 && is_1_1)) {
        return WebRefusal{400, "it has not one header Host"};
    }
    return std::nullopt;
}

} // namespace ic::net
