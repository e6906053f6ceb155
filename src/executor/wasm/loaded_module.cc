#include "executor/wasm/loaded_module.h"

#include "executor/wasm/endings.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ic::executor::wasm {
namespace {

constexpr std::size_t names_shown_max = 20;
constexpr std::size_t name_bytes_shown_max = 80;
constexpr std::size_t detail_bytes_max = 400;

using ValueTypeHandle = std::unique_ptr<wasm_valtype_t, Deleter<&wasm_valtype_delete>>;

/// By comparison: wasm_valtype_kind aborts the process for a vector or a typed reference.
ValueType type_of(const wasm_valtype_t& type) {
    constexpr std::array<std::pair<wasm_valkind_enum, ValueType>, 4> numbers{{
        {WASM_I32, ValueType::i32},
        {WASM_I64, ValueType::i64},
        {WASM_F32, ValueType::f32},
        {WASM_F64, ValueType::f64},
    }};
    for (const auto& [kind, number] : numbers) {
        const ValueTypeHandle same(wasm_valtype_new(static_cast<wasm_valkind_t>(kind)));
        if (wasmtime_wasm_valtype_equal(&type, same.get())) {
            return number;
        }
    }
    return ValueType::other;
}

std::vector<ValueType> types_of(const wasm_valtype_vec_t& list) {
    std::vector<ValueType> types;
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
                                 types_of(*wasm_functype_params(function)),
                                 types_of(*wasm_functype_results(function))});
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
