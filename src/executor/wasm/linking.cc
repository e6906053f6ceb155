#include "executor/wasm/linking.h"

#include "executor/wasm/endings.h"
#include "wasm_binary/host_abi.h"
#include "wasm_binary/linking.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>

namespace ic::executor::wasm {
namespace {

constexpr std::size_t name_bytes_max = 120;

Error missing(const ImportName& import) {
    const std::string name = one_line(import.module, name_bytes_max);
    return Error{Errc::import_missing,
                 "a module of the job imports " + name + "." +
                     one_line(import.name, name_bytes_max) + ", which " +
                     (wasm_binary::is_host_module(import.module)
                          ? "is no host function: a module may import wasi_snapshot_preview1 and "
                            "the ipfsCompute functions of env or ipfs_compute"
                          : "the module that --import " + name +
                                " names does not export: name another, or build it with that "
                                "export")};
}

} // namespace

Result<std::vector<NeededImport>>
needed_imports(const LoadedModule& main,
               const job::JobSpec& spec,
               std::span<const std::shared_ptr<LoadedModule>> imports) {
    assert(spec.imports.size() == imports.size());
    std::vector<wasm_binary::Needs> linked;
    linked.reserve(imports.size());
    for (std::size_t i = 0; i < imports.size(); ++i) {
        linked.push_back({spec.imports[i].first, imports[i]->needs()});
    }
    std::vector<NeededImport> needed;
    for (const std::size_t index : TRY(wasm_binary::link_order(main.needs(), linked))) {
        needed.push_back({linked[index].name, imports[index].get()});
    }
    return needed;
}

Externs::~Externs() {
    for (wasmtime_extern_t& item : items_) {
        wasmtime_extern_delete(&item);
    }
}

Result<Externs> resolve_imports(const LoadedModule& module,
                                const wasmtime_linker_t& linker,
                                wasmtime_context_t* context,
                                std::span<const Started> started) {
    Externs items;
    for (const ImportName& import : module.imports()) {
        const std::string& name = import.name;
        wasmtime_extern_t item;
        const auto from = std::ranges::find(started, import.module, &Started::name);
        const bool found = from != started.end()
                               ? wasmtime_instance_export_get(
                                     context, &from->instance, name.data(), name.size(), &item)
                               : wasmtime_linker_get(&linker,
                                                     context,
                                                     import.module.data(),
                                                     import.module.size(),
                                                     name.data(),
                                                     name.size(),
                                                     &item);
        if (!found) {
            return missing(import);
        }
        items.add(item);
    }
    return items;
}

} // namespace ic::executor::wasm
