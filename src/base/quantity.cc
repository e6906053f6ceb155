#include "base/quantity.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>

namespace ic {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::array<Unit, 6> duration_units{
    {{"", 1'000}, {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

constexpr std::array<Unit, 10> byte_units{{{"", 1},
                                           {"B", 1},
                                           {"KiB", 1ULL << 10U},
                                           {"MiB", 1ULL << 20U},
                                           {"GiB", 1ULL << 30U},
                                           {"TiB", 1ULL << 40U},
                                           {"kB", 1'000},
                                           {"MB", 1'000'000},
                                           {"GB", 1'000'000'000},
                                           {"TB", 1'000'000'000'000}}};

template <std::size_t N>
Result<std::uint64_t>
parse(std::string_view text, const std::array<Unit, N>& units, std::string_view forms) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, number);
    if (problem == std::errc::result_out_of_range) {
        return Error{Errc::too_large, "'" + std::string(text) + "' is too large a number"};
    }
    const std::string_view unit_name(rest, static_cast<std::size_t>(end - rest));
    for (const Unit& unit : units) {
        if (problem == std::errc{} && unit.name == unit_name) {
            constexpr auto most =
                static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
            if (number > most / unit.factor) {
                return Error{Errc::too_large, "'" + std::string(text) + "' is too large"};
            }
            return number * unit.factor;
        }
    }
    return Error{Errc::usage,
                 "'" + std::string(text) + "' is not understood; write " + std::string(forms)};
}

std::string with_digits(double value, const char* unit) {
    std::array<char, 48> text{};
    const char* const format = value < 10 ? "%.2f %s" : value < 100 ? "%.1f %s" : "%.0f %s";
    std::snprintf(text.data(), text.size(), format, value, unit);
    return text.data();
}

} // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    const std::uint64_t value = TRY(parse(text, duration_units, "500ms, 30s, 5m, 2h or 7d"));
    return std::chrono::milliseconds{value};
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
    return parse(text, byte_units, "65536, 64KiB, 256MiB, 1GiB or 1GB");
}

std::string human_duration(std::chrono::microseconds duration) {
    const auto us = static_cast<double>(duration.count());
    if (us < 1'000) {
        return std::to_string(duration.count()) + " us";
    }
    if (us < 1'000'000) {
        return with_digits(us / 1'000, "ms");
    }
    if (us < 120'000'000) {
        return with_digits(us / 1'000'000, "s");
    }
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
    return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
}

} // namespace ic
