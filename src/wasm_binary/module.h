#pragma once
/// Module: a WebAssembly module's binary as far as one has to know it to link, call and describe
/// it. Strict about its form, and about nothing that takes types of the operand stack: what is
/// refused here is refused by the engine, not the other way round.
/// Source: WebAssembly core specification 2.0, section 5.5.

#include "base/bytes.h"
#include "base/result.h"
#include "wasm_binary/custom.h"
#include "wasm_binary/features.h"
#include "wasm_binary/types.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace ic::wasm_binary {

namespace limits {
/// Wasmtime's (wasmparser, limits.rs): of types, imports, functions, globals, exports, each.
inline constexpr std::size_t items_max = 1'000'000;
inline constexpr std::size_t segments_max = 100'000;
inline constexpr std::size_t tables_max = 100;
inline constexpr std::size_t memories_max = 100;
inline constexpr std::size_t body_bytes_max = 7'654'321;
} // namespace limits

/// The numbers in the binary.
enum class ItemKind : std::uint8_t { function = 0, table = 1, memory = 2, global = 3, tag = 4 };

std::string_view name_of(ItemKind kind);

struct Import {
    std::string_view module;
    std::string_view name;
    ItemKind kind = ItemKind::function;
    std::uint32_t index = 0; ///< Among all of its kind.

    friend bool operator==(const Import&, const Import&) = default;
};

struct Export {
    std::string_view name;
    ItemKind kind = ItemKind::function;
    std::uint32_t index = 0;

    friend bool operator==(const Export&, const Export&) = default;
};

/// Where a section's content lies.
struct Section {
    std::uint8_t id = 0;
    std::size_t offset = 0;
    std::size_t bytes = 0;
};

/// How a module wants to be used, by the names that WASI gives a meaning.
enum class Role : std::uint8_t {
    command, ///< `_start` runs it once.
    reactor, ///< `_initialize` first, then any export.
    library, ///< Neither.
};

std::string_view name_of(Role role);

/// Lifetime: views the bytes that it was read from.
struct Module {
    std::vector<std::optional<FunctionType>> types; ///< Nothing: a type of no function.
    std::vector<Import> imports;
    std::vector<std::uint32_t> functions; ///< Types of all, imported ones first.
    std::vector<TableType> tables;
    std::vector<Bounds> memories;
    std::vector<GlobalType> globals;
    std::vector<Export> exports;
    std::optional<std::uint32_t> start; ///< A function that runs when it is instantiated.
    std::size_t code_bytes = 0;
    std::size_t data_bytes = 0;
    std::size_t data_segments = 0;
    std::vector<Section> sections;
    std::vector<CustomSection> custom;
    Features features;

    /// Of the function of that index.
    const FunctionType& type_of(std::uint32_t function) const {
        return *types[functions[function]];
    }

    /// Nothing if no function is exported under this name.
    const FunctionType* exported_function(std::string_view name) const;

    Role role() const;

    /// "(i32) -> ()", "1 to 2 pages" and so on, of what an import or export names.
    std::string type_text(ItemKind kind, std::uint32_t index) const;
};

/// What the first eight bytes say.
enum class Content : std::uint8_t { module, component, text, other };

Content content_of(ByteView bytes);

/// Reads all of it. Memory: at most some 20 times the module's bytes, whatever it declares.
/// Errors: module_invalid, with the offset, for what is no core module or not whole; a component
/// and WebAssembly text are named as such with what to do.
Result<Module> parse(ByteView bytes);

} // namespace ic::wasm_binary
