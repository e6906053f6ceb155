#pragma once
/// The keys that this node's owner trusts. Format: docs/formats/config.md, "trust.toml".

#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace ic::config {

namespace limits {
/// Ours.
inline constexpr std::size_t trusted_max = 1000;
inline constexpr std::size_t trusted_name_bytes_max = 64;
inline constexpr std::size_t trusted_addresses_max = 16; ///< Of one entry.
inline constexpr std::size_t trusted_address_bytes_max = 256;
inline constexpr std::size_t trust_bytes_max = 512U << 10U;
} // namespace limits

/// A did:key (checked by who uses it), a name for people, which may be empty, and where the Kubo of
/// that node can be dialled, as far as it is known: multiaddrs.
struct Trusted {
    std::string did;
    std::string name;
    std::vector<std::string> at{};

    friend bool operator==(const Trusted&, const Trusted&) = default;
};

/// In the order in which they were added. Errors: malformed with the line; too_large.
/// Inverse: `print_trust`.
Result<std::vector<Trusted>> parse_trust(std::string_view text, std::string_view file);
std::string print_trust(const std::vector<Trusted>& trusted);

/// Those of a file, none if it does not exist. Errors: as `parse_trust`, `read_file_if_exists`.
Result<std::vector<Trusted>> load_trust(const std::string& file);
/// Errors: as `write_file`; usage for what `parse_trust` would refuse.
Result<void> store_trust(const std::string& file, const std::vector<Trusted>& trusted);

/// `trusted` with `entry` in it: its name and addresses for a key that is there already, where it
/// has any; a name that another key has gets a number.
std::vector<Trusted> with_trusted(std::vector<Trusted> trusted, Trusted entry);

} // namespace ic::config
