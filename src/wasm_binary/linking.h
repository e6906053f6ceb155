#pragma once
/// Linking: modules that import what others of the same job export (`--import NAME=CID`).

#include "base/result.h"
#include "wasm_binary/module.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ic::wasm_binary {

/// The names of the modules that `module` imports from besides the host, sorted, each once.
/// Lifetime: views of the module's.
std::vector<std::string_view> needs_of(const Module& module);

/// A module of a job and the names that it imports from.
struct Needs {
    std::string_view name; ///< Under which others import from it.
    std::vector<std::string_view> modules;
};

/// Those of `linked` that `main` needs, directly or not, as indices in the order in which they are
/// instantiated: each after all that it needs, and else by name. Each is there once.
/// Errors: import_missing (a name that is not in `linked`); module_invalid (modules that need each
/// other, or themselves). Requires: few of `linked`, sorted by name.
Result<std::vector<std::size_t>> link_order(std::span<const std::string_view> main,
                                            std::span<const Needs> linked);

/// A module of a job by its name; null if it is not here to be looked at.
struct LinkedModule {
    std::string_view name;
    const Module* module = nullptr;
};

/// Whether `main` and `linked` can be instantiated here together and `main` has such a handler.
/// Errors: as check_host and handler_arguments; import_missing (an export that is not there, or of
/// another type), as link_order; usage (one of `linked` that nobody imports from).
Result<void> check_linked_job(const Module& main,
                              std::span<const LinkedModule> linked,
                              std::string_view handler,
                              std::span<const std::string> arguments);

} // namespace ic::wasm_binary
