#pragma once
/// A WebAssembly module as JSON (docs/formats/json.md) and as text for people.

#include "base/result.h"
#include "multiformats/cid.h"
#include "wasm_binary/module.h"
#include "wiring/compilation.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace ic::cli {

/// What is known of one module.
struct InspectedModule {
    std::optional<Cid> cid; ///< Of one that was named by it.
    std::size_t bytes = 0;
    const wasm_binary::Module& module;
    std::optional<Result<wiring::Compiled>> compiled{}; ///< Nothing: it was not tried.
};

nlohmann::json to_json(const InspectedModule& inspected);

/// Several lines.
std::string describe(const InspectedModule& inspected);

} // namespace ic::cli
