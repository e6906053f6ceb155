#include "wasm_binary/features.h"

namespace ic::wasm_binary {
namespace {

// `on` says what src/executor/wasm/engine_config.cc sets; a test there compares the two.
constexpr std::array<FeatureRow, feature_count> rows{{
    {Feature::mutable_globals, "mutable-globals", true, ""},
    {Feature::sign_extension, "sign-extension", true, ""},
    {Feature::saturating_conversions, "saturating-conversions", true, ""},
    {Feature::multi_value, "multi-value", true, ""},
    {Feature::bulk_memory, "bulk-memory", true, ""},
    {Feature::reference_types, "reference-types", true, ""},
    {Feature::simd, "simd", true, ""},
    {Feature::tail_call, "tail-call", true, ""},
    {Feature::extended_const, "extended-const", true, ""},
    {Feature::host_references,
     "externref",
     false,
     "build it for wasm32-wasip1, without bindings to JavaScript (wasm-bindgen, "
     "-mreference-types)"},
    {Feature::threads,
     "threads",
     false,
     "build it without threads and shared memory (no -pthread, no +atomics, not "
     "wasm32-wasip1-threads)"},
    {Feature::relaxed_simd, "relaxed-simd", false, "build it with +simd128 without +relaxed-simd"},
    {Feature::memory64, "memory64", false, "build it for wasm32, not wasm64"},
    {Feature::multi_memory, "multi-memory", false, "build it with one memory"},
    {Feature::exceptions,
     "exceptions",
     false,
     "build it without exceptions (C++: -fno-exceptions; Rust: panic=abort)"},
    {Feature::legacy_exceptions,
     "legacy-exceptions",
     false,
     "build it without exceptions (C++: -fno-exceptions; Rust: panic=abort)"},
    {Feature::function_references,
     "function-references",
     false,
     "build it without typed references to functions"},
    {Feature::gc,
     "gc",
     false,
     "use a toolchain that brings its own collector, as Go's wasip1 does"},
    {Feature::custom_page_sizes, "custom-page-sizes", false, "build it with pages of 64 KiB"},
    {Feature::wide_arithmetic, "wide-arithmetic", false, "build it without +wide-arithmetic"},
    {Feature::stack_switching, "stack-switching", false, "build it without stack switching"},
    {Feature::custom_descriptors,
     "custom-descriptors",
     false,
     "build it without custom descriptors and exact types"},
}};

static_assert(static_cast<std::size_t>(Feature::custom_descriptors) + 1 == feature_count);

} // namespace

std::span<const FeatureRow> feature_rows() { return rows; }

} // namespace ic::wasm_binary
