#include "config/home.h"

#include "base/file.h"
#include "base/text.h"

#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <utility>

namespace ic::config {
namespace {

constexpr std::string_view format_version = "1\n"; // docs/formats/home.md
constexpr std::size_t version_bytes_max = 16;

} // namespace

std::string process_environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

Result<std::string> choose_home(const std::string& given, Environment environment) {
    if (!given.empty()) {
        return given;
    }
    if (std::string path = environment("IPFS_COMPUTE_PATH"); !path.empty()) {
        return path;
    }
    if (const std::string user = environment("HOME"); !user.empty()) {
        return user + "/.ipfs-compute";
    }
    return Error{
        Errc::usage,
        "neither HOME nor IPFS_COMPUTE_PATH is set; say where to keep things: --home PATH"};
}

bool is_network_file_system(unsigned long type) {
    // statfs(2): NFS, SMB, SMB2, CIFS, AFS, Coda, Ceph, 9P (also of virtual machines), GFS2, OCFS2.
    constexpr std::array<unsigned long, 10> types{0x6969,
                                                  0x517b,
                                                  0xfe534d42,
                                                  0xff534d42,
                                                  0x5346414f,
                                                  0x73757245,
                                                  0x00c36400,
                                                  0x01021997,
                                                  0x01161970,
                                                  0x7461636f};
    return std::ranges::find(types, type) != types.end();
}

Result<Home> open_home(const std::string& path) {
    TRY(make_folders(path, 0700));
    Home home{path};
    struct statfs status{};
    if (::statfs(path.c_str(), &status) != 0) {
        return system_error("cannot look at", path, errno);
    }
    if (is_network_file_system(static_cast<unsigned long>(status.f_type) & 0xffffffffUL)) {
        return Error{Errc::unsupported,
                     path + " is on a network file system, where locks and mapped files are not "
                            "shared safely; set IPFS_COMPUTE_PATH to a folder on a local disk"};
    }
    std::optional<Bytes> found = TRY(read_file_if_exists(home.version_file(), version_bytes_max));
    if (!found) {
        const Result<void> written =
            write_file(home.version_file(), bytes_of(format_version), 0600, IfExists::fail);
        if (!written && written.error().code != Errc::refused) {
            return written.error();
        }
        found = TRY(read_file_if_exists(home.version_file(), version_bytes_max));
    }
    if (!found || text_of(*found) != format_version) {
        const std::string text = found ? printable(text_of(*found)) : "nothing";
        return Error{Errc::unsupported,
                     home.version_file() + " says " + text +
                         ", this program knows 1; use the newer ipfs-compute that made this home"};
    }
    return home;
}

} // namespace ic::config
