#pragma once
/// Linking: the modules of one run put together. docs/formats/abi.md, "Imports from other modules".

#include "base/result.h"
#include "executor/wasm/loaded_module.h"
#include "executor/wasm/native.h"
#include "job/spec.h"

#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace ic::executor::wasm {

/// A module of a run by the name under which others import from it.
struct NeededImport {
    std::string_view name;
    const LoadedModule* module = nullptr;
};

/// Those of `imports`, which are `spec.imports`, that `main` needs, in the order in which they are
/// instantiated. Lifetime: views of `spec` and `imports`.
/// Errors: as wasm_binary::link_order.
Result<std::vector<NeededImport>>
needed_imports(const LoadedModule& main,
               const job::JobSpec& spec,
               std::span<const std::shared_ptr<LoadedModule>> imports);

/// One of them that is instantiated.
struct Started {
    std::string_view name;
    wasmtime_instance_t instance{};
};

/// What Wasmtime's items are lent in: frees each.
class Externs {
public:
    Externs() = default;
    ~Externs();

    Externs(Externs&& other) noexcept : items_(std::exchange(other.items_, {})) {}
    Externs& operator=(Externs&&) = delete;

    void add(const wasmtime_extern_t& item) { items_.push_back(item); }

    const wasmtime_extern_t* data() const { return items_.data(); }

    std::size_t size() const { return items_.size(); }

private:
    std::vector<wasmtime_extern_t> items_;
};

/// What `module` imports, in its order: of `linker` if it is the host's, else of what is started.
/// Whether the types are right is for the engine to say. Errors: import_missing.
Result<Externs> resolve_imports(const LoadedModule& module,
                                const wasmtime_linker_t& linker,
                                wasmtime_context_t* context,
                                std::span<const Started> started);

} // namespace ic::executor::wasm
