#pragma once
/// Home: the folder of everything that ipfs-compute keeps.

#include "base/result.h"

#include <string>
#include <string_view>

namespace ic::config {

/// Looks up an environment variable; empty if it is not set. So that tests need no real one.
using Environment = std::string (*)(const char* name);

/// The environment of this process.
std::string process_environment(const char* name);

/// Where things lie in a home. A value; nothing is opened by it.
struct Home {
    std::string path;

    std::string config_file() const { return path + "/config.toml"; }

    std::string trust_file() const { return path + "/trust.toml"; }

    std::string key_file() const { return path + "/identity.key"; }

    std::string version_file() const { return path + "/format_version"; }

    std::string blocks() const { return path + "/blocks"; }

    std::string add_cache_file() const { return path + "/add-cache"; }

    std::string ledger_file() const { return path + "/ledger.db"; }

    std::string modules() const { return path + "/modules"; }

    std::string bus() const { return path + "/bus"; }
};

/// `given`, else $IPFS_COMPUTE_PATH, else ~/.ipfs-compute. Errors: usage if none of them is there.
Result<std::string> choose_home(const std::string& given, Environment environment);

/// Makes the folder (mode 0700) if it is missing, and checks it.
/// Errors: unsupported for a network file system (locks and maps are not shared there) and for a
///         format_version that this program does not know; as `make_folders`.
Result<Home> open_home(const std::string& path);

/// Whether a file system with this statfs(2) `f_type` lies on another machine.
bool is_network_file_system(unsigned long type);

} // namespace ic::config
