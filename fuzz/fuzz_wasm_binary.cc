// Any bytes as a module, read by our reader and by the engine. Properties: what the engine takes,
// we read, and see no feature in it that is off here; imports and exports are the same; what we
// refuse as damaged, the engine refuses too.

#include "executor/wasm/engine_config.h"
#include "executor/wasm/native.h"
#include "wasm_binary/host_abi.h"
#include "wasm_binary/linking.h"

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace ic;
using namespace ic::executor::wasm;

/// Compiling is the slow part; larger inputs are validated only.
constexpr std::size_t compiled_bytes_max = 1024;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

wasm_engine_t& engine() {
    static const EngineHandle made = open_wasm_engine(Metering::none, {}).take();
    return *made;
}

std::string_view text_of_name(const wasm_name_t* name) { return {name->data, name->size}; }

void compare(const wasmtime_module_t& compiled, const wasm_binary::Module& module) {
    wasm_importtype_vec_t imports;
    wasmtime_module_imports(&compiled, &imports);
    require(imports.size == module.imports.size());
    for (std::size_t i = 0; i < imports.size; ++i) {
        require(text_of_name(wasm_importtype_module(imports.data[i])) == module.imports[i].module);
        require(text_of_name(wasm_importtype_name(imports.data[i])) == module.imports[i].name);
    }
    wasm_importtype_vec_delete(&imports);
    wasm_exporttype_vec_t exports;
    wasmtime_module_exports(&compiled, &exports);
    require(exports.size == module.exports.size());
    for (std::size_t i = 0; i < exports.size; ++i) {
        const std::string_view name = text_of_name(wasm_exporttype_name(exports.data[i]));
        const wasm_functype_t* function =
            wasm_externtype_as_functype_const(wasm_exporttype_type(exports.data[i]));
        const wasm_binary::FunctionType* ours = module.exported_function(name);
        require((function != nullptr) == (ours != nullptr));
        if (function != nullptr) {
            require(wasm_functype_params(function)->size == ours->parameters.size());
            require(wasm_functype_results(function)->size == ours->results.size());
        }
    }
    wasm_exporttype_vec_delete(&exports);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Result<wasm_binary::Module> module = wasm_binary::parse({data, size});
    if (module) { // Each of these has to end, whatever was read.
        static_cast<void>(wasm_binary::check_job(*module, "_start", {}));
        static_cast<void>(wasm_binary::can_be_pure(*module));
        // Its own importer, under each name that it imports from: never fits, has to end.
        std::vector<wasm_binary::LinkedModule> linked;
        for (const std::string_view name : wasm_binary::needs_of(*module)) {
            if (linked.size() < 8) {
                linked.push_back({name, &*module});
            }
        }
        require(linked.empty() || !wasm_binary::check_linked_job(*module, linked, "_start", {}));
        static_cast<void>(wasm_binary::producers_of(module->custom));
        static_cast<void>(wasm_binary::names_of(module->custom));
        for (const wasm_binary::Import& import : module->imports) {
            require(!module->type_text(import.kind, import.index).empty());
        }
    } else {
        require(module.error().code == Errc::module_invalid);
    }
    if (const ErrorHandle invalid{wasmtime_module_validate(&engine(), data, size)}) {
        return 0;
    }
    require(module.ok());
    for (const wasm_binary::FeatureRow& row : wasm_binary::feature_rows()) {
        // Wasmtime 48's validator knows exact functions whatever is on; its compiler refuses them.
        require(row.on || row.feature == wasm_binary::Feature::custom_descriptors ||
                !module->features.has(row.feature));
    }
    wasmtime_module_t* made = nullptr;
    if (size > compiled_bytes_max) {
        return 0;
    }
    if (const ErrorHandle error{wasmtime_module_new(&engine(), data, size, &made)}) {
        return 0; // Valid, and beyond a limit of the pool.
    }
    const ModuleHandle compiled(made);
    require(!module->features.has(wasm_binary::Feature::custom_descriptors));
    compare(*compiled, *module);
    return 0;
}
