#pragma once
/// The boundary between Wasmtime's frames and ours: plain functions in, C callbacks out. An
/// exception that reached Wasmtime's frames would abort the process, so none gets past here.

#include "executor/wasm/native.h"
#include "executor/wasm/run.h"
#include "executor/wasm/tracer.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
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
    /// `name` is the function's, of type `const char`.
    static wasm_trap_t* call(void* name,
                             wasmtime_caller_t* caller,
                             wasmtime_val_raw_t* values,
                             std::size_t /*count*/) noexcept {
        Run& run = *static_cast<Run*>(wasmtime_context_get_data(wasmtime_caller_context(caller)));
        constexpr auto indices = std::index_sequence_for<Args...>{};
        if (run.tracer != nullptr) [[unlikely]] {
            return traced(run, static_cast<const char*>(name), caller, values, indices);
        }
        return call_with(run, caller, values, indices);
    }

    template <std::size_t... I>
    static wasm_trap_t* traced(Run& run,
                               const char* name,
                               wasmtime_caller_t* caller,
                               wasmtime_val_raw_t* values,
                               std::index_sequence<I...> indices) noexcept {
        // Before the call: the result takes the first one's place.
        const std::array<std::int64_t, sizeof...(Args)> arguments{
            static_cast<std::int64_t>(argument<Args>(values[I]))...};
        const Instant begin = now_since_boot();
        wasm_trap_t* trap = call_with(run, caller, values, indices);
        const Instant end = now_since_boot();
        std::optional<std::int64_t> result;
        if constexpr (!std::is_void_v<R>) {
            if (trap == nullptr) {
                result = sizeof(R) == 4 ? std::int64_t{values[0].i32} : values[0].i64;
            }
        }
        guarded(run, [&] { run.tracer->add({name, arguments, begin, end, result}, run); });
        return trap;
    }

    template <std::size_t... I>
    static wasm_trap_t* call_with(Run& run,
                                  wasmtime_caller_t* caller,
                                  [[maybe_unused]] wasmtime_val_raw_t* values,
                                  std::index_sequence<I...> /*indices*/) noexcept {
        guarded(run, [&] {
            if (!run.enter(caller)) {
                return;
            }
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

/// Makes `Function(Run&, integers...)` importable as `module`.`name`. Requires: `name` is a
/// literal.
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
                                                                  const_cast<char*>(name.data()),
                                                                  nullptr));
    if (error) {
        return Error{Errc::internal, message_of(*error)};
    }
    return {};
}

} // namespace ic::executor::wasm
