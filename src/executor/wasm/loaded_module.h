#pragma once
/// LoadedModule: an artifact mapped and linked, and what its imports and exports are.

#include "executor/wasm/engine.h"
#include "executor/wasm/native.h"
#include "wasm_binary/types.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ic::executor::wasm {

/// The type of an exported function, as far as a handler may have one.
struct FunctionExport {
    std::string name;
    wasm_binary::FunctionType type; ///< A value of no number's type has the code 0.
};

/// What a module imports, by its two names.
struct ImportName {
    std::string module;
    std::string name;
};

/// Threads: constant after `load`, so any number.
class LoadedModule {
public:
    /// Errors: import_missing, internal.
    static Result<std::shared_ptr<LoadedModule>>
    link(const wasmtime_linker_t* linker, ModuleHandle module, Metering metering);

    /// Null if it imports from other modules than the host: then each run links it.
    const wasmtime_instance_pre_t* instance_pre() const { return instance_pre_.get(); }

    /// The names of those modules, sorted.
    const std::vector<std::string_view>& needs() const { return needs_; }

    /// All imports, in the order of the module; empty unless it needs modules.
    const std::vector<ImportName>& imports() const { return imports_; }

    const wasmtime_module_t& module() const { return *module_; }

    Metering metering() const { return metering_; }

    /// Nothing if no function of this name is exported.
    const FunctionExport* find(std::string_view name) const;

    /// Of all exported functions, sorted. Lifetime: as this.
    std::vector<std::string_view> function_names() const;

private:
    ModuleHandle module_;
    InstancePreHandle instance_pre_;
    Metering metering_ = Metering::none;
    std::vector<ImportName> imports_;
    std::vector<std::string_view> needs_;   ///< Views of `imports_`.
    std::vector<FunctionExport> functions_; ///< Sorted by name.
};

} // namespace ic::executor::wasm
