#include "cli/kubo_text.h"

#include "ipld/utf8.h"

#include <locale.h>
#include <wctype.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <utility>

namespace ic::cli {
namespace {

struct LocaleCloser {
    void operator()(locale_t locale) const { ::freelocale(locale); }
};

using Locale = std::unique_ptr<std::remove_pointer_t<locale_t>, LocaleCloser>;

/// A character, and of how many bytes it was made; none for bytes that are no UTF-8.
struct Character {
    std::optional<char32_t> value;
    std::size_t bytes = 1;
};

Character first_character(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t bytes = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    const std::string_view own = text.substr(0, bytes);
    if (own.size() != bytes || !is_utf8(own)) {
        return {};
    }
    char32_t value = bytes == 1 ? lead : lead & (0x7fU >> bytes);
    for (const char next : own.substr(1)) {
        value = value << 6U | (static_cast<unsigned char>(next) & 0x3fU);
    }
    return {value, bytes};
}

struct Range {
    char32_t first;
    char32_t last;
};

// What the C library prints and Go does not: white space but the blank (Z), format characters (Cf)
// and private use (Co). Source: the Unicode Character Database 15, general categories.
constexpr std::array<Range, 27> unprinted{{
    {0xa0, 0xa0},       {0xad, 0xad},       {0x600, 0x605},       {0x61c, 0x61c},
    {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},       {0x8e2, 0x8e2},
    {0x1680, 0x1680},   {0x180e, 0x180e},   {0x2000, 0x200f},     {0x2028, 0x202f},
    {0x205f, 0x2064},   {0x2066, 0x206f},   {0x3000, 0x3000},     {0xe000, 0xf8ff},
    {0xfeff, 0xfeff},   {0xfff9, 0xfffb},   {0x110bd, 0x110bd},   {0x110cd, 0x110cd},
    {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},   {0xe0001, 0xe0001},
    {0xe0020, 0xe007f}, {0xf0000, 0xffffd}, {0x100000, 0x10fffd},
}};

bool is_printed(char32_t character) {
    if (character < 0x80) {
        return character >= ' ' && character != 0x7f;
    }
    static const Locale unicode(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr));
    const bool listed = std::ranges::any_of(unprinted, [&](const Range& range) {
        return character >= range.first && character <= range.last;
    });
    return !listed && unicode && ::iswprint_l(static_cast<wint_t>(character), unicode.get()) != 0;
}

std::string formatted(const char* format, unsigned value) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), format, value);
    return text.data();
}

std::string escape_of(char32_t character) {
    constexpr std::string_view letters = "abtnvfr"; // Of 7 to 13.
    const auto value = static_cast<unsigned>(character);
    if (value == '\\') {
        return "\\\\";
    }
    if (value >= 7 && value < 7 + letters.size()) {
        return std::string("\\") + letters[value - 7];
    }
    if (value < ' ' || value == 0x7f) {
        return formatted("\\x%02x", value);
    }
    return value < 0x10000 ? formatted("\\u%04x", value) : formatted("\\U%08x", value);
}

/// A byte that a terminal which knows no UTF-8 would take for a command.
bool steers(char byte) {
    const auto value = static_cast<unsigned char>(byte);
    return value >= 0x80 && value <= 0x9f;
}

bool needs_escape(std::string_view name) {
    while (!name.empty()) {
        const Character next = first_character(name);
        if (next.value ? *next.value == '\\' || !is_printed(*next.value) : steers(name.front())) {
            return true;
        }
        name.remove_prefix(next.bytes);
    }
    return false;
}

char letter_if(std::uint32_t mode, std::uint32_t bit, char letter) {
    return (mode & bit) != 0 ? letter : '-';
}

/// What stands for the right to execute, where a special bit changes it.
char execute_letter(std::uint32_t mode, std::uint32_t bit, std::uint32_t special, char letter) {
    const bool executes = (mode & bit) != 0;
    if ((mode & special) == 0) {
        return executes ? 'x' : '-';
    }
    return executes ? letter : static_cast<char>(letter - 'a' + 'A');
}

/// The point six months before, as calendars count.
std::int64_t six_months_before(std::int64_t now) {
    const std::time_t at = now;
    std::tm calendar{};
    ::gmtime_r(&at, &calendar);
    calendar.tm_mon -= 6;
    return ::timegm(&calendar);
}

std::size_t characters_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U; }));
}

} // namespace

std::string escaped_name(std::string_view name) {
    if (!needs_escape(name)) {
        return std::string(name);
    }
    std::string out;
    while (!name.empty()) {
        const Character next = first_character(name);
        if (!next.value) {
            out += formatted("\\x%02x", static_cast<unsigned char>(name.front()));
        } else if (*next.value == '\\' || !is_printed(*next.value)) {
            out += escape_of(*next.value);
        } else {
            out += name.substr(0, next.bytes);
        }
        name.remove_prefix(next.bytes);
    }
    return out;
}

std::string mode_text(const unixfs::Stat& stat) {
    if (!stat.metadata.mode || *stat.metadata.mode == 0) {
        return "-";
    }
    const std::uint32_t mode = *stat.metadata.mode;
    const char type = stat.type == unixfs::EntryType::directory ? 'd'
                      : stat.type == unixfs::EntryType::symlink ? 'l'
                                                                : '-';
    return {type,
            letter_if(mode, 0400, 'r'),
            letter_if(mode, 0200, 'w'),
            execute_letter(mode, 0100, 04000, 's'),
            letter_if(mode, 0040, 'r'),
            letter_if(mode, 0020, 'w'),
            execute_letter(mode, 0010, 02000, 's'),
            letter_if(mode, 0004, 'r'),
            letter_if(mode, 0002, 'w'),
            execute_letter(mode, 0001, 01000, 't')};
}

std::string time_text(const std::optional<unixfs::UnixTime>& time, UnixSeconds now) {
    if (!time) {
        return "-";
    }
    constexpr std::int64_t day = 86'400;
    const std::time_t at = time->seconds;
    std::tm calendar{};
    if (::gmtime_r(&at, &calendar) == nullptr) {
        return "-";
    }
    const bool is_recent =
        time->seconds > six_months_before(now.value) && time->seconds < now.value + day;
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), is_recent ? "%b %d %H:%M" : "%b %d  %Y", &calendar);
    return text.data();
}

std::string decimal_bytes(std::uint64_t bytes) {
    constexpr std::array units{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 10) {
        return std::to_string(bytes) + " B";
    }
    const double exponent = std::floor(std::log(static_cast<double>(bytes)) / std::log(1000.0));
    const double value =
        std::floor(static_cast<double>(bytes) / std::pow(1000.0, exponent) * 10 + 0.5) / 10;
    std::array<char, 32> text{};
    std::snprintf(text.data(),
                  text.size(),
                  value < 10 ? "%.1f %s" : "%.0f %s",
                  value,
                  units.at(static_cast<std::size_t>(exponent)));
    return text.data();
}

std::string Table::text() const {
    std::string out;
    for (auto line = lines_.begin(); line != lines_.end();) {
        const auto end = std::find_if(
            line, lines_.end(), [&](const auto& next) { return next.size() != line->size(); });
        std::vector<std::size_t> widths(line->size(), width_min_);
        for (auto row = line; row != end; ++row) {
            for (std::size_t column = 0; column + 1 < row->size(); ++column) {
                widths[column] = std::max(widths[column], characters_of((*row)[column]) + 1);
            }
        }
        for (; line != end; ++line) {
            for (std::size_t column = 0; column + 1 < line->size(); ++column) {
                const std::string& cell = (*line)[column];
                out += cell + std::string(widths[column] - characters_of(cell), ' ');
            }
            out += line->back() + "\n";
        }
    }
    return out;
}

} // namespace ic::cli
