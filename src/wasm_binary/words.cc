#include "wasm_binary/words.h"

#include "base/text.h"

#include <algorithm>

namespace ic::wasm_binary {
namespace {

constexpr std::size_t shown_bytes_max = 80;
constexpr std::size_t names_shown_max = 20;

} // namespace

std::string shown(std::string_view name) {
    const bool is_long = name.size() > shown_bytes_max;
    std::size_t bytes = std::min(name.size(), shown_bytes_max);
    while (is_long && bytes > 0 && (static_cast<unsigned char>(name[bytes]) & 0xc0U) == 0x80U) {
        --bytes;
    }
    return printable(name.substr(0, bytes)) + (is_long ? "..." : "");
}

std::string quoted(std::string_view name) { return "`" + shown(name) + "`"; }

std::string listed(std::span<const std::string_view> names) {
    std::string text;
    for (std::size_t i = 0; i < names.size() && i < names_shown_max; ++i) {
        text += (i == 0 ? "" : ", ") + shown(names[i]);
    }
    if (names.size() > names_shown_max) {
        text += ", and " + std::to_string(names.size() - names_shown_max) + " more";
    }
    return text.empty() ? "no function" : text;
}

} // namespace ic::wasm_binary
