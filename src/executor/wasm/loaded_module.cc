#include "executor/wasm/loaded_module.h"

#include "executor/wasm/endings.h"

#include <algorithm>
#include <utility>

namespace ic::executor::wasm {
namespace {

constexpr std::size_t names_shown_max = 20;
constexpr std::size_t name_bytes_shown_max = 80;
constexpr std::size_t detail_bytes_max = 400;

std::vector<wasm_valkind_t> kinds_of(const wasm_valtype_vec_t& types) {
    std::vector<wasm_valkind_t> kinds;
    for (std::size_t i = 0; i < types.size; ++i) {
        kinds.push_back(wasm_valtype_kind(types.data[i]));
    }
    return kinds;
}

std::vector<FunctionExport> functions_of(const wasmtime_module_t& module) {
    wasm_exporttype_vec_t exports;
    wasmtime_module_exports(&module, &exports);
    std::vector<FunctionExport> functions;
    for (std::size_t i = 0; i < exports.size; ++i) {
        const wasm_externtype_t* type = wasm_exporttype_type(exports.data[i]);
        const wasm_functype_t* function = wasm_externtype_as_functype_const(type);
        if (function != nullptr) {
            functions.push_back({string_of(*wasm_exporttype_name(exports.data[i])),
                                 kinds_of(*wasm_functype_params(function)),
                                 kinds_of(*wasm_functype_results(function))});
        }
    }
    wasm_exporttype_vec_delete(&exports);
    std::ranges::sort(functions, {}, &FunctionExport::name);
    return functions;
}

} // namespace

Result<std::shared_ptr<LoadedModule>>
LoadedModule::link(const wasmtime_linker_t* linker, ModuleHandle module, Metering metering) {
    wasmtime_instance_pre_t* instance_pre = nullptr;
    const ErrorHandle error(wasmtime_linker_instantiate_pre(linker, module.get(), &instance_pre));
    if (error) {
        return Error{Errc::import_missing,
                     one_line(message_of(*error), detail_bytes_max) +
                         ": a module may import wasi_snapshot_preview1 and the ipfsCompute "
                         "functions of env or ipfs_compute; build it for wasm32-wasip1"};
    }
    auto loaded = std::make_shared<LoadedModule>();
    loaded->instance_pre_.reset(instance_pre);
    loaded->functions_ = functions_of(*module);
    loaded->module_ = std::move(module);
    loaded->metering_ = metering;
    return loaded;
}

const FunctionExport* LoadedModule::find(std::string_view name) const {
    const auto at = std::ranges::lower_bound(functions_, name, {}, &FunctionExport::name);
    return at != functions_.end() && at->name == name ? &*at : nullptr;
}

std::string LoadedModule::function_names() const {
    std::string text;
    for (std::size_t i = 0; i < functions_.size() && i < names_shown_max; ++i) {
        text += (i == 0 ? "" : ", ") + one_line(functions_[i].name, name_bytes_shown_max);
    }
    if (functions_.size() > names_shown_max) {
        text += ", and " + std::to_string(functions_.size() - names_shown_max) + " more";
    }
    return text.empty() ? "no function" : text;
}

} // namespace ic::executor::wasm
