#include "executor/wasm/handler.h"

#include "wasm_binary/host_abi.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace ic::executor::wasm {

Result<HandlerCall> prepare_handler(const LoadedModule& module, const job::JobSpec& spec) {
    const FunctionExport* function = module.find(spec.handler);
    const wasm_binary::FunctionType* type = function == nullptr ? nullptr : &function->type;
    const std::vector<std::string_view> names =
        function == nullptr ? module.function_names() : std::vector<std::string_view>();
    const std::vector<std::uint64_t> bits =
        TRY(wasm_binary::handler_arguments(spec.handler, type, names, spec.arguments));
    HandlerCall call{.function = function,
                     .values = std::vector<wasmtime_val_raw_t>(
                         std::max(type->parameters.size(), type->results.size()))};
    for (std::size_t i = 0; i < bits.size(); ++i) {
        // A float's bits stand where an integer's of its size do.
        const wasm_binary::ValueType& parameter = type->parameters[i];
        if (parameter == wasm_binary::i32 || parameter == wasm_binary::f32) {
            call.values[i].i32 = static_cast<std::int32_t>(static_cast<std::uint32_t>(bits[i]));
        } else {
            call.values[i].i64 = static_cast<std::int64_t>(bits[i]);
        }
    }
    return call;
}

std::optional<std::int64_t> value_of(const HandlerCall& call) {
    const std::vector<wasm_binary::ValueType>& results = call.function->type.results;
    if (results.empty()) {
        return std::nullopt;
    }
    return results[0] == wasm_binary::i32 ? std::int64_t{call.values[0].i32} : call.values[0].i64;
}

} // namespace ic::executor::wasm
