#include "executor/wasm/loaded_module.h"

#include "executor/wasm/endings.h"
#include "wasm_binary/host_abi.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ic::executor::wasm {
namespace {

constexpr std::size_t detail_bytes_max = 400;

using ValueTypeHandle = std::unique_ptr<wasm_valtype_t, Deleter<&wasm_valtype_delete>>;

/// By comparison: wasm_valtype_kind aborts the process for a vector or a typed reference.
wasm_binary::ValueType type_of(const wasm_valtype_t& type) {
    constexpr std::array<std::pair<wasm_valkind_enum, wasm_binary::ValueType>, 4> numbers{{
        {WASM_I32, wasm_binary::i32},
        {WASM_I64, wasm_binary::i64},
        {WASM_F32, wasm_binary::f32},
        {WASM_F64, wasm_binary::f64},
    }};
    for (const auto& [kind, number] : numbers) {
        const ValueTypeHandle same(wasm_valtype_new(static_cast<wasm_valkind_t>(kind)));
        if (wasmtime_wasm_valtype_equal(&type, same.get())) {
            return number;
        }
    }
    return {};
}

std::vector<wasm_binary::ValueType> types_of(const wasm_valtype_vec_t& list) {
    std::vector<wasm_binary::ValueType> types;
    for (std::size_t i = 0; i < list.size; ++i) {
        types.push_back(type_of(*list.data[i]));
    }
    return types;
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
                                 {.parameters = types_of(*wasm_functype_params(function)),
                                  .results = types_of(*wasm_functype_results(function))}});
        }
    }
    wasm_exporttype_vec_delete(&exports);
    std::ranges::sort(functions, {}, &FunctionExport::name);
    return functions;
}

std::vector<ImportName> imports_of(const wasmtime_module_t& module) {
    wasm_importtype_vec_t imports;
    wasmtime_module_imports(&module, &imports);
    std::vector<ImportName> names;
    names.reserve(imports.size);
    for (std::size_t i = 0; i < imports.size; ++i) {
        names.push_back({string_of(*wasm_importtype_module(imports.data[i])),
                         string_of(*wasm_importtype_name(imports.data[i]))});
    }
    wasm_importtype_vec_delete(&imports);
    return names;
}

std::vector<std::string_view> needs_of(const std::vector<ImportName>& imports) {
    std::vector<std::string_view> needs;
    for (const ImportName& import : imports) {
        if (!wasm_binary::is_host_module(import.module)) {
            needs.push_back(import.module);
        }
    }
    std::ranges::sort(needs);
    const auto twice = std::ranges::unique(needs);
    needs.erase(twice.begin(), twice.end());
    return needs;
}

} // namespace

Result<std::shared_ptr<LoadedModule>>
LoadedModule::link(const wasmtime_linker_t* linker, ModuleHandle module, Metering metering) {
    auto loaded = std::make_shared<LoadedModule>();
    loaded->functions_ = functions_of(*module);
    loaded->metering_ = metering;
    loaded->imports_ = imports_of(*module);
    loaded->needs_ = needs_of(loaded->imports_);
    if (!loaded->needs_.empty()) {
        loaded->module_ = std::move(module);
        return loaded;
    }
    loaded->imports_ = {};
    wasmtime_instance_pre_t* instance_pre = nullptr;
    const ErrorHandle error(wasmtime_linker_instantiate_pre(linker, module.get(), &instance_pre));
    if (error) {
        return Error{Errc::import_missing,
                     one_line(message_of(*error), detail_bytes_max) +
                         ": a module may import wasi_snapshot_preview1 and the ipfsCompute "
                         "functions of env or ipfs_compute; build it for wasm32-wasip1"};
    }
    loaded->instance_pre_.reset(instance_pre);
    loaded->module_ = std::move(module);
    return loaded;
}

const FunctionExport* LoadedModule::find(std::string_view name) const {
    const auto at = std::ranges::lower_bound(functions_, name, {}, &FunctionExport::name);
    return at != functions_.end() && at->name == name ? &*at : nullptr;
}

std::vector<std::string_view> LoadedModule::function_names() const {
    std::vector<std::string_view> names;
    for (const FunctionExport& function : functions_) {
        names.push_back(function.name);
    }
    return names;
}

} // namespace ic::executor::wasm
