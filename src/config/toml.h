#pragma once
/// TOML as this folder needs it: scalar values with their full keys, and one-value edits.
/// Format: TOML 1.0.0.

#include "base/result.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ic::config {

struct TomlValue {
    enum class Kind { text, number, other };

    std::string
        key; ///< With dots; an element of an array of tables has its index: `trusted.0.did`.
    std::string text;
    Kind kind = Kind::other;
    std::size_t line = 0;
};

/// Every value in the document that is not a table, in the order of keys.
/// Errors: too_large; malformed with name, line and column.
Result<std::vector<TomlValue>>
parse_toml(std::string_view text, std::string_view name, std::size_t bytes_max);

/// `value` as a basic string.
std::string toml_quoted(std::string_view value);

/// `text` with `literal` as the value of `key` (at most one dot): in place of the old value, else
/// as a new line. The caller checks what it means. Errors: as `parse_toml`.
Result<std::string> edit_toml(std::string_view text,
                              std::string_view name,
                              std::string_view key,
                              std::string_view literal,
                              std::size_t bytes_max);

} // namespace ic::config
