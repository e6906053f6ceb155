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
