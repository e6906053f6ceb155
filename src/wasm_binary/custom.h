#pragma once
/// Custom sections: names, debug information, and what made the module. None can make it invalid.
/// Source: WebAssembly core specification 2.0, appendix "Custom Sections"; tool-conventions
/// ProducersSection.md, Debugging.md.

#include "base/bytes.h"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace ic::wasm_binary {

struct CustomSection {
    std::string_view name;
    std::size_t offset = 0; ///< Of the content behind the name.
    ByteView content{};
};

/// One row of the section "producers": field ("language"), name ("Rust"), version.
struct Producer {
    std::string_view field;
    std::string_view name;
    std::string_view version;

    friend bool operator==(const Producer&, const Producer&) = default;
};

namespace limits {
/// Ours: more producers are not shown.
inline constexpr std::size_t producers_max = 64;
} // namespace limits

struct NameSection {
    std::optional<std::string_view> module;
    std::size_t functions = 0; ///< How many have a name.
};

/// Of all sections of that name, as far as they are whole.
std::vector<Producer> producers_of(const std::vector<CustomSection>& custom);

/// Nothing if there is none or it is not whole.
std::optional<NameSection> names_of(const std::vector<CustomSection>& custom);

/// Bytes of all sections with DWARF in them; 0: there is none.
std::size_t dwarf_bytes(const std::vector<CustomSection>& custom);

} // namespace ic::wasm_binary
