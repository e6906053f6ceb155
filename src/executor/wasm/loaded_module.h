#pragma once
/// LoadedModule: an artifact mapped and linked, and what its exports are.

#include "executor/wasm/engine.h"
#include "executor/wasm/native.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ic::executor::wasm {

/// A type that a handler's parameter may have, or any other.
enum class ValueType : std::uint8_t { i32, i64, f32, f64, other };

/// The type of an exported function, as far as a handler may have one.
struct FunctionExport {
    std::string name;
    std::vector<ValueType> parameters;
    std::vector<ValueType> results;
};

/// Threads: constant after `load`, so any number.
class LoadedModule {
public:
    /// Errors: import_missing, internal.
    static Result<std::shared_ptr<LoadedModule>>
    link(const wasmtime_linker_t* linker, ModuleHandle module, Metering metering);

    const wasmtime_instance_pre_t* instance_pre() const { return instance_pre_.get(); }

    Metering metering() const { return metering_; }

    /// Nothing if no function of this name is exported.
    const FunctionExport* find(std::string_view name) const;

    /// The names of all exported functions, for people.
    std::string function_names() const;

private:
    ModuleHandle module_;
    InstancePreHandle instance_pre_;
    Metering metering_ = Metering::none;
    std::vector<FunctionExport> functions_; ///< Sorted by name.
};

} // namespace ic::executor::wasm
