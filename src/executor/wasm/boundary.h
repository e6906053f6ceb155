#pragma once
/// The boundary between Wasmtime's frames and ours: plain functions in, C callbacks out. An
/// exception that reached Wasmtime's frames would abort the process, so none gets past here.

#include "executor/wasm/native.h"
#include "executor/wasm/run.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ic::executor::wasm {

/// Runs `body`; whatever it throws ends the run as a fault of this node.
template <class Body>
void guarded(Run& run, Body&& body) noexcept {
    try {
        std::forward<Body>(body)();
    } catch (const std::exception& error) {
        run.stop(Errc::internal, std::string("a host function failed: ") + error.what());
    } catch (...) {
        run.stop(Errc::internal, "a host function failed");
    }
}

namespace detail {

template <class T>
T argument(const wasmtime_val_raw_t& raw) {
    static_assert(std::is_integral_v<T> && (sizeof(T) == 4 || sizeof(T) == 8));
    if constexpr (sizeof(T) == 4) {
        return static_cast<T>(raw.i32);
    } else {
        return static_cast<T>(raw.i64);
    }
}

template <class T>
wasm_valtype_t* value_type() {
    return wasm_valtype_new(sizeof(T) == 4 ? WASM_I32 : WASM_I64);
}

inline wasm_trap_t* trap_to_end() {
    constexpr std::string_view text = "the run has ended";
    return wasmtime_trap_new(text.data(), text.size());
}

template <auto Function, class R, class... Args>
struct Callback {
    static wasm_trap_t* call(void* /*env*/,
                             wasmtime_caller_t* caller,
                             wasmtime_val_raw_t* values,
                             std::size_t /*count*/) noexcept {
        return call_with(caller, values, std::index_sequence_for<Args...>{});
    }

    template <std::size_t... I>
    static wasm_trap_t* call_with(wasmtime_caller_t* caller,
                                  [[maybe_unused]] wasmtime_val_raw_t* values,
                                  std::index_sequence<I...> /*indices*/) noexcept {
        Run& run = *static_cast<Run*>(wasmtime_context_get_data(wasmtime_caller_context(caller)));
        guarded(run, [&] {
            run.enter(caller);
            if constexpr (std::is_void_v<R>) {
                Function(run, argument<Args>(values[I])...);
            } else {
                const R result = Function(run, argument<Args>(values[I])...);
                if constexpr (sizeof(R) == 4) {
                    values[0].i32 = static_cast<std::int32_t>(result);
                } else {
                    values[0].i64 = static_cast<std::int64_t>(result);
                }
            }
        });
        return run.ended() ? trap_to_end() : nullptr;
    }

    static FunctionTypeHandle type() {
        wasm_valtype_t* parameters[] = {value_type<Args>()..., nullptr};
        wasm_valtype_vec_t parameter_types;
        wasm_valtype_vec_new(&parameter_types, sizeof...(Args), parameters);
        wasm_valtype_vec_t result_types;
        if constexpr (std::is_void_v<R>) {
            wasm_valtype_vec_new_empty(&result_types);
        } else {
            wasm_valtype_t* results[] = {value_type<R>()};
            wasm_valtype_vec_new(&result_types, 1, results);
        }
        return FunctionTypeHandle(wasm_functype_new(&parameter_types, &result_types));
    }
};

template <auto Function>
struct CallbackOf;

template <class R, class... Args, R (*Function)(Run&, Args...)>
struct CallbackOf<Function> : Callback<Function, R, Args...> {};

} // namespace detail

/// Makes `Function(Run&, integers...)` importable as `module`.`name`.
template <auto Function>
Result<void> define(wasmtime_linker_t* linker, std::string_view module, std::string_view name) {
    using Made = detail::CallbackOf<Function>;
    const FunctionTypeHandle type = Made::type();
    const ErrorHandle error(wasmtime_linker_define_func_unchecked(linker,
                                                                  module.data(),
                                                                  module.size(),
                                                                  name.data(),
                                                                  name.size(),
                                                                  type.get(),
                                                                  &Made::call,
                                                                  nullptr,
                                                                  nullptr));
    if (error) {
        return Error{Errc::internal, message_of(*error)};
    }
    return {};
}

} // namespace ic::executor::wasm
