#pragma once
/// Names, modes, times and tables as Kubo 0.43 prints them, byte for byte.

#include "base/time.h"
#include "unixfs/directory.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ic::cli {

/// A name of a directory: as it is, or, if something in it cannot be printed or is a backslash, as
/// Go quotes it (without the quotes). Unlike Kubo's, bytes that steer a terminal are escaped also
/// where they are no UTF-8.
std::string escaped_name(std::string_view name);

/// "drwxr-xr-x"; "-" if the mode is not known.
std::string mode_text(const unixfs::Stat& stat);

/// "Jan 02 15:04" within the last six months, else "Jan 02  2006"; "-" if it is not known. In UTC.
std::string time_text(const std::optional<unixfs::UnixTime>& time, UnixSeconds now);

/// "1.2 GB": units of 1000, one digit after the point below ten.
std::string decimal_bytes(std::uint64_t bytes);

/// Lines of cells. All cells but the last of a line are filled up with blanks to the width of the
/// widest in their column and one more, or to `width_min`. Lines of as many cells in a row have
/// columns in common.
class Table {
public:
    explicit Table(std::size_t width_min) : width_min_(width_min) {}

    void add(std::vector<std::string> cells) { lines_.push_back(std::move(cells)); }

    /// The lines, each ended.
    std::string text() const;

private:
    std::size_t width_min_;
    std::vector<std::vector<std::string>> lines_;
};

} // namespace ic::cli
