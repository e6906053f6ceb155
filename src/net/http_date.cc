#include "net/http_date.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace ic::net {

std::string http_date(UnixSeconds time) {
    constexpr std::array<const char*, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<const char*, 12> months{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::chrono::sys_seconds point{std::chrono::seconds(time.value)};
    const auto midnight = std::chrono::floor<std::chrono::days>(point);
    const std::chrono::year_month_day day(midnight);
    const std::chrono::hh_mm_ss clock(point - midnight);
    std::array<char, 64> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "%s, %02u %s %04d %02d:%02d:%02d GMT",
                  weekdays.at(std::chrono::weekday(midnight).c_encoding()),
                  static_cast<unsigned>(day.day()),
                  months.at(static_cast<unsigned>(day.month()) - 1),
                  static_cast<int>(day.year()),
                  static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text.data();
}

} // namespace ic::net
