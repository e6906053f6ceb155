#pragma once
/// DocumentNode: what JSON and TOML have in common, with the line of each value.

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ic::config {

/// A value with its parts.
struct DocumentNode {
    enum class Kind : std::uint8_t {
        text,
        number, ///< A whole one; `text` has its digits, with a '-' in front if it is negative.
        truth,  ///< `text` is "true" or "false".
        list,
        table,
        other, ///< null, a fraction, a date.
    };

    Kind kind = Kind::other;
    std::string name; ///< In its table; empty in a list.
    std::string text;
    std::vector<DocumentNode> parts; ///< Names within a table are unique.
    std::size_t line = 0;            ///< From 1: where its name stands, if it has one.
};

namespace limits {
/// Ours: of a JSON document; entries of one list or table, and lists and tables within others.
inline constexpr std::size_t json_parts_max = 1024;
inline constexpr std::size_t json_depth_max = 8;
} // namespace limits

/// Format: JSON (RFC 8259), no name twice in an object; an object is the whole of it.
/// Errors: too_large beyond a limit; malformed; with name and line.
Result<DocumentNode>
parse_json_document(std::string_view text, std::string_view name, std::size_t bytes_max);

/// Format: as `parse_toml`. Errors: the same.
Result<DocumentNode>
parse_toml_document(std::string_view text, std::string_view name, std::size_t bytes_max);

} // namespace ic::config
