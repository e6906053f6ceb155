#include "base/text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

namespace ic {
namespace {

void append_escape(std::string& out, unsigned char byte) {
    constexpr std::string_view digits = "0123456789abcdef";
    out.append("\\x");
    out.push_back(digits[byte >> 4U]);
    out.push_back(digits[byte & 0x0fU]);
}

/// The code point at the front of `text` and its bytes; one byte and U+FFFD for what is no UTF-8.
struct Letter {
    std::uint32_t code = 0xfffd;
    std::size_t bytes = 1;
};

Letter first_letter(std::string_view text) {
    const auto byte = [&](std::size_t at) {
        return at < text.size() ? static_cast<unsigned char>(text[at]) : std::uint8_t{0};
    };
    const std::uint8_t first = byte(0);
    if (first < 0x80) {
        return {.code = first};
    }
    const std::size_t bytes = first < 0xe0 ? 2U : first < 0xf0 ? 3U : 4U;
    std::uint32_t code = first & (0xffU >> (bytes + 1));
    for (std::size_t at = 1; at < bytes; ++at) {
        if ((byte(at) & 0xc0U) != 0x80U) {
            return {};
        }
        code = code << 6U | (byte(at) & 0x3fU);
    }
    constexpr std::array<std::uint32_t, 5> code_min{0, 0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = code >= 0xd800 && code < 0xe000;
    if (first < 0xc2 || code < code_min[bytes] || code > 0x10ffff || is_surrogate) {
        return {};
    }
    return {.code = code, .bytes = bytes};
}

/// Whether Go's strconv.IsPrint says no: controls, formats, separators but the blank, private use
/// (Unicode categories Cc, Cf, Zl, Zp, Zs, Co).
bool is_unprinted(std::uint32_t code) {
    struct Range {
        std::uint32_t first, last;
    };
    constexpr std::array ranges{
        Range{0x00, 0x1f},       Range{0x7f, 0xa0},       Range{0xad, 0xad},
        Range{0x600, 0x605},     Range{0x61c, 0x61c},     Range{0x6dd, 0x6dd},
        Range{0x70f, 0x70f},     Range{0x890, 0x891},     Range{0x8e2, 0x8e2},
        Range{0x1680, 0x1680},   Range{0x180e, 0x180e},   Range{0x2000, 0x200f},
        Range{0x2028, 0x202f},   Range{0x205f, 0x206f},   Range{0x3000, 0x3000},
        Range{0xe000, 0xf8ff},   Range{0xfeff, 0xfeff},   Range{0xfff9, 0xfffb},
        Range{0xfffe, 0xffff},   Range{0x110bd, 0x110bd}, Range{0x110cd, 0x110cd},
        Range{0x13430, 0x1343f}, Range{0x1bca0, 0x1bca3}, Range{0x1d173, 0x1d17a},
        Range{0xe0001, 0xe007f}, Range{0xf0000, 0x10ffff}};
    return std::ranges::any_of(
        ranges, [&](const Range& range) { return code >= range.first && code <= range.last; });
}

void append_code(std::string& out, std::uint32_t code) {
    constexpr std::string_view named = "abtnvfr"; // The controls 7 to 13.
    if (code >= 7 && code < 7 + named.size()) {
        out.append({'\\', named[code - 7]});
        return;
    }
    std::array<char, 16> text{};
    const char* const form = code < 0x80 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x";
    std::snprintf(text.data(), text.size(), form, code);
    out.append(text.data());
}

/// Damerau-Levenshtein distance with non-overlapping swaps.
std::size_t distance(std::string_view left, std::string_view right) {
    std::vector<std::vector<std::size_t>> cost(left.size() + 1,
                                               std::vector<std::size_t>(right.size() + 1));
    for (std::size_t i = 0; i <= left.size(); ++i) {
        for (std::size_t j = 0; j <= right.size(); ++j) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            const std::size_t replace = left[i - 1] == right[j - 1] ? 0 : 1;
            cost[i][j] =
                std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + replace});
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[left.size()][right.size()];
}

} // namespace

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const auto next =
            at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : std::uint8_t{0};
        if (byte < 0x20 || byte == 0x7f) {
            append_escape(out, byte);
        } else if (byte == 0xc2 && next >= 0x80 && next < 0xa0) { // C1 in UTF-8.
            append_escape(out, byte);
            append_escape(out, next);
            ++at;
        } else {
            out.push_back(text[at]);
        }
    }
    return out;
}

std::string kubo_printable(std::string_view name) {
    bool is_quoted = false;
    std::string quoted;
    for (std::string_view rest = name; !rest.empty();) {
        const Letter letter = first_letter(rest);
        const std::string_view bytes = rest.substr(0, letter.bytes);
        if (letter.code == 0xfffd && letter.bytes == 1) {
            append_escape(quoted, static_cast<unsigned char>(rest.front()));
        } else if (letter.code == '\\') {
            is_quoted = true;
            quoted.append("\\\\");
        } else if (is_unprinted(letter.code)) {
            is_quoted = true;
            append_code(quoted, letter.code);
        } else {
            quoted.append(bytes);
        }
        rest.remove_prefix(letter.bytes);
    }
    return is_quoted ? quoted : std::string(name);
}

std::string human_bytes(std::uint64_t bytes) {
    if (bytes < 1024) {
        return std::to_string(bytes) + " B";
    }
    constexpr std::array units{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    while (value >= 999.5 && unit + 1 < units.size()) {
        value /= 1024;
        ++unit;
    }
    std::array<char, 32> text{};
    std::snprintf(
        text.data(), text.size(), value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return text.data();
}

std::string closest_word(std::string_view word, std::span<const std::string> words) {
    constexpr std::size_t letters_max = 64; // Longer ones are no typing mistakes.
    if (word.size() > letters_max) {
        return {};
    }
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    std::string best;
    for (const std::string& candidate : words) {
        if (candidate.size() > letters_max) {
            continue;
        }
        const std::size_t found = distance(word, candidate);
        if (found < best_distance) {
            best_distance = found;
            best = candidate;
        }
    }
    return best;
}

} // namespace ic
