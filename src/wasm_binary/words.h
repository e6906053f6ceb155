#pragma once
/// Words for messages about a module: names that are anybody's, made short and printable.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace ic::wasm_binary {

/// At most 80 bytes of it.
std::string shown(std::string_view name);

/// In backquotes.
std::string quoted(std::string_view name);

/// "a, b, and 3 more"; "no function" if there is none.
std::string listed(std::span<const std::string_view> names);

} // namespace ic::wasm_binary
