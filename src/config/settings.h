#pragma once
/// Settings: what can be configured, from config.toml, the environment and flags.
/// Format: docs/formats/config.md.

#include "base/result.h"
#include "config/home.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ic::config {

namespace limits {
/// Ours.
inline constexpr std::size_t config_bytes_max = 256U << 10U;
inline constexpr std::size_t value_bytes_max = 4096;
} // namespace limits

/// Every setting with its default. A new one is a member here and a row in settings.cc.
struct Settings {
    std::string gateways; ///< URLs with blanks between them.
    std::string ipfs = "embedded";
    std::string import_profile = "unixfs-v1-2025";
    std::string isolation_processes = "shared";
    std::string isolation_require = "none"; ///< Walls with blanks between them.
    std::string kubo = "auto";
    std::string kubo_gateway = "auto";
    std::uint64_t kubo_timeout_ms = 30'000;
    std::string kubo_token;
    std::string log_format = "text";
    std::string log_level = "info";
    std::string metrics_listen = "off";
    std::string network_advertise; ///< URLs with blanks between them.
    std::string network_listen = "auto";
    std::string policy_unsigned_peers; ///< Peer IDs with blanks between them.
    std::uint64_t store_bytes_max = 0;
    std::string store_keep_results = "7d";
    std::string traces_endpoint = "off";
    std::string worker_labels; ///< KEY=VALUE with blanks between them.
    std::uint64_t worker_slots = 0;

    friend bool operator==(const Settings&, const Settings&) = default;
};

/// One key, as people write it (`import.profile`), and where it lives.
struct Setting {
    std::string_view key;
    std::variant<std::string Settings::*, std::uint64_t Settings::*> member;
    std::string_view help;
    /// What is wrong with a value, or an empty text.
    std::string (*complaint)(const Settings& settings);
};

/// All of them, in the order in which they are shown.
std::span<const Setting> all_settings();

/// A value with where it came from: "default", "/home/x/config.toml:3", "IPFS_COMPUTE_KUBO",
/// "--set".
struct EffectiveSetting {
    std::string key;
    std::string value;
    std::string source;

    friend bool operator==(const EffectiveSetting&, const EffectiveSetting&) = default;
};

struct LoadedSettings {
    Settings values;
    std::vector<EffectiveSetting> effective; ///< One a setting, in the order of `all_settings`.
};

/// `key` = `value` as it stands on a line of config.toml.
struct Assignment {
    std::string key;
    std::string value;
    std::size_t line = 0;

    friend bool operator==(const Assignment&, const Assignment&) = default;
};

/// The assignments of a config.toml, sorted by key. `name` is for messages.
/// Errors: malformed with the line (not TOML, an unknown key, a value of the wrong type);
/// too_large.
Result<std::vector<Assignment>> parse_config(std::string_view text, std::string_view name);

/// `text` with one value changed or added and everything else, comments too, left as it is.
/// Errors: usage for an unknown key or a value that it cannot have; as `parse_config`.
Result<std::string> with_setting(std::string_view text,
                                 std::string_view name,
                                 std::string_view key,
                                 std::string_view value);

/// `settings` with one value changed. Errors: usage for an unknown key or a value it cannot have.
Result<void> assign(Settings& settings, std::string_view key, std::string_view value);

/// Defaults, then config.toml, then variables (IPFS_COMPUTE_ and the key in capitals with '_' for
/// '.'), then `flags` ("key=value"); later ones win. Errors: as above; usage for a flag without
/// '='.
Result<LoadedSettings>
load_settings(const Home& home, Environment environment, std::span<const std::string> flags);

/// Changes config.toml (it is made if missing), whole or not at all. Errors: as `with_setting`,
/// `write_file`.
Result<void> store_setting(const Home& home, std::string_view key, std::string_view value);

} // namespace ic::config
