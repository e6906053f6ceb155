#pragma once
/// Code of a WebAssembly module, read as far as it takes to know which features it needs and where
/// an expression ends; it is not validated, the engine does that.
/// Source: WebAssembly core specification 3.0, section 5.4, and the proposals' own tables of
/// opcodes.

#include "base/result.h"
#include "wasm_binary/features.h"
#include "wasm_binary/reader.h"

#include <cstddef>

namespace ic::wasm_binary {

namespace limits {
/// Wasmtime's (wasmparser, limits.rs), of one function.
inline constexpr std::size_t locals_max = 50'000;
/// Ours: an offset takes that long to read, and no module that is valid nests deeper than its
/// length.
inline constexpr std::size_t catches_max = 10'000;
} // namespace limits

/// Which expression: a constant one is part of a global, an element or data.
enum class Expression { code, constant };

/// Skips one expression with its `end`. Errors: malformed.
Result<void> skip_expression(Reader& reader, Features& features, Expression kind);

/// Reads one function's locals and expression, which fill `body`. Errors: malformed.
Result<void> read_body(Reader body, Features& features);

} // namespace ic::wasm_binary
