#pragma once
/// Types of a WebAssembly module: values, functions, memories, tables, globals.
/// Source: WebAssembly core specification 2.0, section 5.3, and 3.0 where features that are off
/// have to be told apart.

#include "base/result.h"
#include "wasm_binary/features.h"
#include "wasm_binary/reader.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ic::wasm_binary {

/// The type of one value by its code; references with a type of their own have it in `heap`.
struct ValueType {
    std::uint8_t code = 0;
    std::int64_t heap = 0; ///< Of (ref ...) and (ref null ...): a type's index, or negative.

    friend bool operator==(const ValueType&, const ValueType&) = default;
};

inline constexpr ValueType i32{0x7f};
inline constexpr ValueType i64{0x7e};
inline constexpr ValueType f32{0x7d};
inline constexpr ValueType f64{0x7c};
inline constexpr ValueType v128{0x7b};
inline constexpr ValueType funcref{0x70};
inline constexpr ValueType externref{0x6f};

struct FunctionType {
    std::vector<ValueType> parameters;
    std::vector<ValueType> results;

    friend bool operator==(const FunctionType&, const FunctionType&) = default;
};

/// Of a memory in pages, of a table in elements.
struct Bounds {
    std::uint64_t minimum = 0;
    std::optional<std::uint64_t> maximum{};
    bool is_shared = false;
    bool is_64 = false;

    friend bool operator==(const Bounds&, const Bounds&) = default;
};

struct TableType {
    ValueType element;
    Bounds bounds;

    friend bool operator==(const TableType&, const TableType&) = default;
};

struct GlobalType {
    ValueType value;
    bool is_mutable = false;

    friend bool operator==(const GlobalType&, const GlobalType&) = default;
};

namespace limits {
/// Wasmtime's (wasmparser, limits.rs), of one function's parameters, and of its results.
inline constexpr std::size_t values_max = 1000;
/// Wasmtime's, of one structure.
inline constexpr std::size_t fields_max = 10'000;
} // namespace limits

/// Each reads one, and notes the features that it needs. Errors: malformed.
Result<ValueType> read_value_type(Reader& reader, Features& features);
Result<Bounds> read_bounds(Reader& reader, Features& features);
Result<TableType> read_table_type(Reader& reader, Features& features);
Result<GlobalType> read_global_type(Reader& reader, Features& features);
/// Appends one entry of the type section, which may be several types; nothing stands for a type
/// that is no function's.
Result<void> read_types(Reader& reader,
                        Features& features,
                        std::vector<std::optional<FunctionType>>& types,
                        std::size_t types_max);

/// "i32", "(ref null 3)".
std::string to_string(const ValueType& type);
/// "(i32, i64) -> (i32)".
std::string to_string(const FunctionType& type);
/// "funcref, 1 to 3 elements", "1 to 2 pages", "mutable i32".
std::string to_string(const TableType& type);
std::string memory_to_string(const Bounds& bounds);
std::string to_string(const GlobalType& type);

} // namespace ic::wasm_binary
