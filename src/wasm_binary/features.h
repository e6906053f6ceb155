#pragma once
/// Features: what a module needs of its engine beyond WebAssembly 1.0, and what this host has.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ic::wasm_binary {

/// One proposal each, named as in WebAssembly/proposals.
enum class Feature : std::uint8_t {
    mutable_globals,
    sign_extension,
    saturating_conversions,
    multi_value,
    bulk_memory,
    reference_types,
    simd,
    tail_call,
    extended_const,
    host_references, ///< externref: a part of reference-types that needs a collector.
    threads,
    relaxed_simd,
    memory64,
    multi_memory,
    exceptions,
    legacy_exceptions,
    function_references,
    gc,
    custom_page_sizes,
    wide_arithmetic,
    stack_switching,
    custom_descriptors,
};

struct FeatureRow {
    Feature feature;
    std::string_view name;
    bool on;                 ///< Whether a guest here may use it (docs/formats/abi.md).
    std::string_view remedy; ///< Of one that is off.
};

/// In the order of the enumerators.
std::span<const FeatureRow> feature_rows();

inline constexpr std::size_t feature_count = 22;

/// Which features were seen, and where first.
class Features {
public:
    void note(Feature feature, std::size_t offset) {
        std::optional<std::size_t>& place = first_[static_cast<std::size_t>(feature)];
        if (!place) {
            place = offset;
        }
    }

    bool has(Feature feature) const { return first(feature).has_value(); }

    /// Offset in the module.
    std::optional<std::size_t> first(Feature feature) const {
        return first_[static_cast<std::size_t>(feature)];
    }

private:
    std::array<std::optional<std::size_t>, feature_count> first_;
};

} // namespace ic::wasm_binary
