#pragma once
/// Handlers: the exported function that a job names, its arguments and its result.

#include "executor/wasm/loaded_module.h"
#include "job/spec.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace ic::executor::wasm {

/// A call that is ready to be made. The values have room for the result.
struct HandlerCall {
    const FunctionExport* function = nullptr;
    std::vector<wasmtime_val_raw_t> values;
};

/// The call that `spec` asks for: `handler` with `arguments` as numbers if it has parameters.
/// Errors: as wasm_binary::handler_arguments.
Result<HandlerCall> prepare_handler(const LoadedModule& module, const job::JobSpec& spec);

/// The integer that the call gave, if its function gives one.
std::optional<std::int64_t> value_of(const HandlerCall& call);

} // namespace ic::executor::wasm
