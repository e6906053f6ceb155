#pragma once
/// The walls that not every kernel and container lets a process raise: their names, what became of
/// each, and what to do about one that does not stand. All other walls always stand.

#include "base/result.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace ic::executor::channel {

/// The numbers go over the channel: never reuse one.
enum class Wall : std::uint8_t {
    network = 1,      ///< An empty network namespace.
    files = 2,        ///< An empty root, or rules of the kernel that open nothing.
    capabilities = 4, ///< None, and none to be had.
    system_calls = 8, ///< A filter that lets through what a run needs.
    resources = 16,   ///< A bound on memory and threads of all of them (a cgroup): the broker's.
};

inline constexpr std::array all_walls{
    Wall::network, Wall::files, Wall::capabilities, Wall::system_calls, Wall::resources};

/// "network", "files", "capabilities", "system-calls", "resources".
std::string_view name(Wall wall);

/// What to do so that it can be raised. For people.
std::string_view remedy(Wall wall);

/// What the kernel said to each attempt: an errno, 0 where the wall stands.
struct WallErrors {
    int network = 0;
    int view = 0;     ///< The empty root.
    int landlock = 0; ///< The rules. One of these two is enough for Wall::files.
    int capabilities = 0;
    int system_calls = 0;
    int resources = 0; ///< As process::look_at_group; 0 in executors, which cannot see it.

    int of(Wall wall) const;

    /// Why it does not stand: the kernel's words, or better ones. For people.
    std::string why(Wall wall) const;

    friend bool operator==(const WallErrors&, const WallErrors&) = default;
};

/// Some walls. A value.
class WallSet {
public:
    WallSet() = default;

    /// Bits that mean nothing are left out.
    explicit WallSet(std::uint8_t bits);

    static WallSet all();

    /// "none", "all", or names with blanks between them. Errors: usage.
    static Result<WallSet> parse(std::string_view text);

    void add(Wall wall) { bits_ |= static_cast<std::uint8_t>(wall); }

    bool has(Wall wall) const { return (bits_ & static_cast<std::uint8_t>(wall)) != 0; }

    std::uint8_t bits() const { return bits_; }

    friend bool operator==(const WallSet&, const WallSet&) = default;

private:
    std::uint8_t bits_ = 0;
};

/// Whether every wall of `required` stands. Errors: refused; it names each that does not, why, and
/// what to do.
Result<void> check_walls(const WallErrors& errors, WallSet required);

} // namespace ic::executor::channel
