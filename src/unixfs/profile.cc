#include "unixfs/profile.h"

#include <string>

namespace ic::unixfs {

Result<Profile> profile_named(std::string_view name) {
    if (name == "unixfs-v1-2025") {
        return unixfs_v1_2025;
    }
    if (name == "unixfs-v0-2015" || name == "legacy-cid-v0") {
        return unixfs_v0_2015;
    }
    return Error{Errc::unsupported,
                 "unknown profile '" + std::string(name) +
                     "': there are unixfs-v1-2025 and unixfs-v0-2015"};
}

} // namespace ic::unixfs
