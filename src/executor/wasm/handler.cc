#include "executor/wasm/handler.h"

#include "executor/wasm/endings.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <type_traits>

namespace ic::executor::wasm {
namespace {

std::string_view name_of(ValueType type) {
    switch (type) {
    case ValueType::i32:
        return "i32";
    case ValueType::i64:
        return "i64";
    case ValueType::f32:
        return "f32";
    case ValueType::f64:
        return "f64";
    case ValueType::other:
        return "another type";
    }
    return "another type";
}

std::string names_of(const std::vector<ValueType>& types) {
    std::string text = "(";
    for (const ValueType type : types) {
        text.append(text.size() > 1 ? ", " : "").append(name_of(type));
    }
    return text + ")";
}

/// The whole of `text` as a T; integers of either sign, or unsigned up to the type's bits.
template <class T>
std::optional<T> parse_number(std::string_view text) {
    T value{};
    if constexpr (std::is_integral_v<T>) {
        int base = 10;
        if (text.starts_with("0x")) {
            text.remove_prefix(2);
            base = 16;
        }
        const auto read = std::from_chars(text.data(), text.data() + text.size(), value, base);
        if (read.ec == std::errc{} && read.ptr == text.data() + text.size() &&
            !(base == 16 && value < 0)) {
            return value;
        }
        std::make_unsigned_t<T> bits{};
        const auto whole = std::from_chars(text.data(), text.data() + text.size(), bits, base);
        if (whole.ec == std::errc{} && whole.ptr == text.data() + text.size()) {
            return static_cast<T>(bits);
        }
    } else {
        const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
        if (read.ec == std::errc{} && read.ptr == text.data() + text.size()) {
            return value;
        }
    }
    return std::nullopt;
}

/// Whether `text` is a number of `type`; if so `raw` holds it.
bool parse_argument(std::string_view text, ValueType type, wasmtime_val_raw_t& raw) {
    const auto put = [](auto number, auto& field) {
        field = number.value_or(0);
        return number.has_value();
    };
    switch (type) {
    case ValueType::i32:
        return put(parse_number<std::int32_t>(text), raw.i32);
    case ValueType::i64:
        return put(parse_number<std::int64_t>(text), raw.i64);
    case ValueType::f32:
        return put(parse_number<float>(text), raw.f32);
    case ValueType::f64:
        return put(parse_number<double>(text), raw.f64);
    case ValueType::other:
        return false;
    }
    return false;
}

bool result_can_be_given(const FunctionExport& function) {
    return function.results.empty() ||
           (function.results.size() == 1 &&
            (function.results[0] == ValueType::i32 || function.results[0] == ValueType::i64));
}

} // namespace

Result<HandlerCall> prepare_handler(const LoadedModule& module, const job::JobSpec& spec) {
    const FunctionExport* function = module.find(spec.handler);
    const std::string name = "`" + one_line(spec.handler, job::limits::handler_bytes_max) + "`";
    if (function == nullptr) {
        return Error{Errc::handler_missing,
                     "the module exports no function " + name + "; it exports " +
                         module.function_names() + ": name one of these with --handler"};
    }
    if (!result_can_be_given(*function)) {
        return Error{Errc::handler_signature,
                     "the handler " + name + " gives " + names_of(function->results) +
                         ": a handler gives nothing or one integer"};
    }
    HandlerCall call{.function = function,
                     .values = std::vector<wasmtime_val_raw_t>(
                         std::max(function->parameters.size(), function->results.size()))};
    if (function->parameters.empty()) {
        return call;
    }
    if (function->parameters.size() != spec.arguments.size()) {
        return Error{Errc::handler_signature,
                     "the handler " + name + " takes " + names_of(function->parameters) + " but " +
                         std::to_string(spec.arguments.size()) +
                         " arguments were given: give one number for each"};
    }
    for (std::size_t i = 0; i < function->parameters.size(); ++i) {
        if (!parse_argument(spec.arguments[i], function->parameters[i], call.values[i])) {
            return Error{Errc::handler_signature,
                         "argument " + std::to_string(i + 1) + " of the handler " + name +
                             " must be a number that fits " +
                             std::string(name_of(function->parameters[i]))};
        }
    }
    return call;
}

std::optional<std::int64_t> value_of(const HandlerCall& call) {
    if (call.function->results.empty()) {
        return std::nullopt;
    }
    return call.function->results[0] == ValueType::i32 ? std::int64_t{call.values[0].i32}
                                                       : call.values[0].i64;
}

} // namespace ic::executor::wasm
