#include "executor/channel/wall_set.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

namespace ic::executor::channel {

std::string_view name(Wall wall) {
    switch (wall) {
    case Wall::network:
        return "network";
    case Wall::files:
        return "files";
    case Wall::capabilities:
        return "capabilities";
    case Wall::system_calls:
        return "system-calls";
    case Wall::resources:
        return "resources";
    }
    return "";
}

std::string_view remedy(Wall wall) {
    switch (wall) {
    case Wall::network:
        return "allow user namespaces: sysctl -w kernel.unprivileged_userns_clone=1 "
               "user.max_user_namespaces=10000 kernel.apparmor_restrict_unprivileged_userns=0 "
               "(those that exist); in a container: allow unshare in its seccomp profile";
    case Wall::files:
        return "allow user namespaces and mounts in them (as for the network), or run on Linux "
               "5.13 or later with Landlock (lsm=landlock,... on the kernel's command line)";
    case Wall::capabilities:
        return "run as an ordinary user, or let this one give its capabilities up (CAP_SETPCAP)";
    case Wall::system_calls:
        return "run on a kernel with CONFIG_SECCOMP_FILTER, with a build without the address "
               "sanitizer; in a container: allow seccomp in its profile";
    case Wall::resources:
        return "start it alone in a cgroup that is delegated to it: `systemd-run --user --scope -p "
               "Delegate=yes ipfs-compute worker`, or Delegate=yes in the unit of its service; "
               "where the controllers are of version 1: systemd.unified_cgroup_hierarchy=1 on the "
               "kernel's command line";
    }
    return "";
}

int WallErrors::of(Wall wall) const {
    switch (wall) {
    case Wall::network:
        return network;
    case Wall::files:
        return view != 0 && landlock != 0 ? view : 0;
    case Wall::capabilities:
        return capabilities;
    case Wall::system_calls:
        return system_calls;
    case Wall::resources:
        return resources;
    }
    return 0;
}

std::string WallErrors::why(Wall wall) const {
    const int error = of(wall);
    if (wall == Wall::resources) {
        switch (error) {
        case ENODEV:
            return "no cgroup hierarchy of version 2 is mounted";
        case EOPNOTSUPP:
            return "its cgroup does not have the controllers memory and pids";
        case EACCES:
            return "its cgroup is not delegated to it";
        case EBUSY:
            return "other processes are in its cgroup";
        default:
            break;
        }
    }
    return std::strerror(error);
}

WallSet::WallSet(std::uint8_t bits) : bits_(bits & all().bits_) {}

WallSet WallSet::all() {
    WallSet set;
    for (const Wall wall : all_walls) {
        set.add(wall);
    }
    return set;
}

Result<WallSet> WallSet::parse(std::string_view text) {
    WallSet set;
    std::istringstream words{std::string(text)};
    for (std::string word; words >> word;) {
        const auto* const wall = std::ranges::find(
            all_walls, std::string_view(word), [](Wall each) { return name(each); });
        if (word == "all") {
            set = all();
        } else if (wall != all_walls.end()) {
            set.add(*wall);
        } else if (word != "none") {
            return Error{Errc::usage,
                         "'" + word +
                             "' is no wall: none, all, or of network files capabilities "
                             "system-calls resources those that have to stand"};
        }
    }
    return set;
}

Result<void> check_walls(const WallErrors& errors, WallSet required) {
    std::string missing;
    std::string remedies;
    for (const Wall wall : all_walls) {
        if (!required.has(wall) || errors.of(wall) == 0) {
            continue;
        }
        missing +=
            (missing.empty() ? "" : ", ") + std::string(name(wall)) + " (" + errors.why(wall) + ")";
        remedies += (remedies.empty() ? "" : "; ") + std::string(name(wall)) + ": ";
        remedies += remedy(wall);
    }
    if (missing.empty()) {
        return {};
    }
    return Error{Errc::refused,
                 "walls are required that this machine does not let executors have: " + missing +
                     ". " + remedies};
}

} // namespace ic::executor::channel
