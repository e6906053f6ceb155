#include "job/text.h"

#include "ipld/utf8.h"

namespace ic::job {
namespace {

/// Bytes of the character at the front of `text`; 0 if there is none.
std::size_t character_size(std::string_view text) {
    for (std::size_t size = 1; size <= 4 && size <= text.size(); ++size) {
        if (is_utf8(text.substr(0, size))) {
            return size;
        }
    }
    return 0;
}

} // namespace

std::string fit_text(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max && is_utf8(text)) {
        return std::string(text);
    }
    std::string fitted;
    while (!text.empty()) {
        const std::size_t size = character_size(text);
        const std::string_view piece = size == 0 ? "?" : text.substr(0, size);
        if (fitted.size() + piece.size() > bytes_max) {
            break;
        }
        fitted += piece;
        text.remove_prefix(piece.size());
    }
    return fitted;
}

} // namespace ic::job
