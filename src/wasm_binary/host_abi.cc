#include "wasm_binary/host_abi.h"

#include "base/text.h"
#include "wasm_binary/words.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <optional>
#include <type_traits>

namespace ic::wasm_binary {
namespace {

// Source: WebAssembly/WASI, legacy/preview1/witx/wasi_snapshot_preview1.witx.
constexpr std::array<HostFunction, 46> wasi{{
    {"args_get", "ii", "i"},
    {"args_sizes_get", "ii", "i"},
    {"clock_res_get", "ii", "i", Observes::clock},
    {"clock_time_get", "iIi", "i", Observes::clock},
    {"environ_get", "ii", "i"},
    {"environ_sizes_get", "ii", "i"},
    {"fd_advise", "iIIi", "i"},
    {"fd_allocate", "iII", "i"},
    {"fd_close", "i", "i"},
    {"fd_datasync", "i", "i"},
    {"fd_fdstat_get", "ii", "i"},
    {"fd_fdstat_set_flags", "ii", "i"},
    {"fd_fdstat_set_rights", "iII", "i"},
    {"fd_filestat_get", "ii", "i"},
    {"fd_filestat_set_size", "iI", "i"},
    {"fd_filestat_set_times", "iIIi", "i"},
    {"fd_pread", "iiiIi", "i"},
    {"fd_prestat_dir_name", "iii", "i"},
    {"fd_prestat_get", "ii", "i"},
    {"fd_pwrite", "iiiIi", "i"},
    {"fd_read", "iiii", "i"},
    {"fd_readdir", "iiiIi", "i"},
    {"fd_renumber", "ii", "i"},
    {"fd_seek", "iIii", "i"},
    {"fd_sync", "i", "i"},
    {"fd_tell", "ii", "i"},
    {"fd_write", "iiii", "i"},
    {"path_create_directory", "iii", "i"},
    {"path_filestat_get", "iiiii", "i"},
    {"path_filestat_set_times", "iiiiIIi", "i"},
    {"path_link", "iiiiiii", "i"},
    {"path_open", "iiiiiIIii", "i"},
    {"path_readlink", "iiiiii", "i"},
    {"path_remove_directory", "iii", "i"},
    {"path_rename", "iiiiii", "i"},
    {"path_symlink", "iiiii", "i"},
    {"path_unlink_file", "iii", "i"},
    {"poll_oneoff", "iiii", "i", Observes::clock},
    {"proc_exit", "i", ""},
    {"proc_raise", "i", "i"},
    {"random_get", "ii", "i", Observes::random},
    {"sched_yield", "", "i"},
    {"sock_accept", "iii", "i"},
    {"sock_recv", "iiiiii", "i"},
    {"sock_send", "iiiii", "i"},
    {"sock_shutdown", "ii", "i"},
}};

constexpr std::array<HostFunction, 12> compute{{
    {"ipfsComputeAbiVersion", "", "I"},
    {"ipfsComputeAdd", "ii", "I"},
    {"ipfsComputeAddFinish", "I", "I"},
    {"ipfsComputeAddOpen", "", "I"},
    {"ipfsComputeClose", "I", "I"},
    {"ipfsComputeCurl", "ii", "I", Observes::network},
    {"ipfsComputeGet", "ii", "I"},
    {"ipfsComputeLog", "ii", "I"},
    {"ipfsComputeLs", "ii", "I"},
    {"ipfsComputeRead", "Iii", "I"},
    {"ipfsComputeReadAt", "IIii", "I"},
    {"ipfsComputeWrite", "Iii", "I"},
}};

constexpr std::size_t imports_shown_max = 5;

const HostFunction* find(std::span<const HostFunction> table, std::string_view name) {
    const auto at = std::ranges::lower_bound(table, name, {}, &HostFunction::name);
    return at != table.end() && at->name == name ? &*at : nullptr;
}

std::vector<std::string> names_in(std::span<const HostFunction> table) {
    std::vector<std::string> names;
    for (const HostFunction& function : table) {
        names.emplace_back(function.name);
    }
    return names;
}

/// What to do about an import that nobody gives.
std::string remedy_for(const Import& import) {
    const std::string by_import =
        "name the module that exports it with --import " + shown(import.module) + "=CID";
    if (import.kind != ItemKind::function) {
        if (!is_host_module(import.module)) {
            return by_import;
        }
        return import.kind == ItemKind::memory
                   ? "a module has to bring its own memory: link it without --import-memory"
                   : "the host gives functions only: link it without --import-table and "
                     "without shared libraries";
    }
    if (const HostFunction* known = host_function(import.module, import.name)) {
        return "it has to be imported as " + to_string(type_of(*known));
    }
    const bool is_wasi = import.module.starts_with("wasi_");
    if (is_wasi && import.module != wasi_module) {
        return "only " + std::string(wasi_module) + " is here: build it for wasm32-wasip1";
    }
    if (import.module.starts_with("wasi:")) {
        return "that is WASI of components: build it for wasm32-wasip1";
    }
    if (import.module.find("bindgen") != std::string_view::npos || import.module == "wbg") {
        return "that is for JavaScript: build it for wasm32-wasip1, without wasm-bindgen";
    }
    const std::string near =
        closest_word(import.name, names_in(is_wasi ? wasi_functions() : compute_functions()));
    if (!near.empty()) {
        return "did you mean " + near + "?";
    }
    if (find(wasi, import.name) != nullptr) {
        return "import it from " + std::string(wasi_module);
    }
    if (find(compute, import.name) != nullptr) {
        return "import it from env or ipfs_compute";
    }
    if (import.module == "env") {
        return "it is declared and nobody defines it: link what defines it, or take it out";
    }
    return by_import;
}

bool is_given(const Module& module,
              const Import& import,
              std::span<const std::string_view> linked) {
    if (std::ranges::find(linked, import.module) != linked.end()) {
        return true;
    }
    if (import.kind != ItemKind::function) {
        return false;
    }
    const HostFunction* function = host_function(import.module, import.name);
    return function != nullptr && type_of(*function) == module.type_of(import.index);
}

Result<void> check_features(const Module& module) {
    for (const FeatureRow& row : feature_rows()) {
        const std::optional<std::size_t> first = module.features.first(row.feature);
        if (!row.on && first) {
            return Error{Errc::module_invalid,
                         "the module needs " + std::string(row.name) + " (first at offset " +
                             hex_offset(*first) +
                             "), which is off here: " + std::string(row.remedy)};
        }
    }
    return {};
}

Result<void> check_imports(const Module& module, std::span<const std::string_view> linked) {
    std::string text;
    std::size_t missing = 0;
    for (const Import& import : module.imports) {
        if (is_given(module, import, linked)) {
            continue;
        }
        if (++missing <= imports_shown_max) {
            text += (missing == 1 ? "" : "; ") + shown(import.module) + "." + shown(import.name) +
                    " (" + std::string(name_of(import.kind)) + " " +
                    shown(module.type_text(import.kind, import.index)) + "): " + remedy_for(import);
        }
    }
    if (missing == 0) {
        return {};
    }
    if (missing > imports_shown_max) {
        text += "; and " + std::to_string(missing - imports_shown_max) + " more";
    }
    return Error{Errc::import_missing, "the module imports what is not here: " + text};
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

template <class T, class BitsOf>
std::optional<std::uint64_t> bits_of(std::string_view text, BitsOf convert) {
    const std::optional<T> number = parse_number<T>(text);
    return number ? std::optional<std::uint64_t>(convert(*number)) : std::nullopt;
}

/// The bits of a parameter of `type`; nothing if the text is no such number.
std::optional<std::uint64_t> parse_argument(std::string_view text, const ValueType& type) {
    if (type == i32) {
        return bits_of<std::int32_t>(text, [](std::int32_t n) { return std::uint32_t(n); });
    }
    if (type == i64) {
        return bits_of<std::int64_t>(text, [](std::int64_t n) { return std::uint64_t(n); });
    }
    if (type == f32) {
        return bits_of<float>(text, [](float n) { return std::bit_cast<std::uint32_t>(n); });
    }
    if (type == f64) {
        return bits_of<double>(text, [](double n) { return std::bit_cast<std::uint64_t>(n); });
    }
    return std::nullopt;
}

std::string types_text(const std::vector<ValueType>& types) {
    const FunctionType only{.parameters = types, .results = {}};
    const std::string text = to_string(only);
    return text.substr(0, text.find(" -> "));
}

} // namespace

std::span<const HostFunction> wasi_functions() { return wasi; }

std::span<const HostFunction> compute_functions() { return compute; }

const HostFunction* host_function(std::string_view module, std::string_view name) {
    if (module == wasi_module) {
        return find(wasi, name);
    }
    return is_host_module(module) ? find(compute, name) : nullptr;
}

bool is_host_module(std::string_view module) {
    return module == wasi_module || module == "env" || module == "ipfs_compute";
}

FunctionType type_of(const HostFunction& function) {
    FunctionType type;
    for (const char letter : function.parameters) {
        type.parameters.push_back(letter == 'i' ? i32 : i64);
    }
    for (const char letter : function.result) {
        type.results.push_back(letter == 'i' ? i32 : i64);
    }
    return type;
}

Result<void> check_host(const Module& module, std::span<const std::string_view> linked) {
    TRY(check_features(module));
    return check_imports(module, linked);
}

bool can_be_pure(const Module& module) {
    return check_features(module).ok() &&
           std::ranges::all_of(module.imports, [&module](const Import& import) {
               if (!is_host_module(import.module)) {
                   return !import.module.starts_with("wasi"); // Else of another module.
               }
               const HostFunction* function = host_function(import.module, import.name);
               return is_given(module, import, {}) && function->observes != Observes::network;
           });
}

std::vector<NamedFunction> exported_functions(const Module& module) {
    std::vector<NamedFunction> functions;
    for (const Export& made : module.exports) {
        if (made.kind == ItemKind::function) {
            functions.push_back({made.name, module.type_of(made.index)});
        }
    }
    std::ranges::sort(functions, {}, &NamedFunction::name);
    return functions;
}

Result<std::vector<std::uint64_t>> handler_arguments(std::string_view handler,
                                                     const FunctionType* type,
                                                     std::span<const std::string_view> exports,
                                                     std::span<const std::string> arguments) {
    if (type == nullptr) {
        return Error{Errc::handler_missing,
                     "the module exports no function " + quoted(handler) + "; it exports " +
                         listed(exports) + ": name one of these with --handler"};
    }
    const std::vector<ValueType>& results = type->results;
    if (results.size() > 1 || (results.size() == 1 && results[0] != i32 && results[0] != i64)) {
        return Error{Errc::handler_signature,
                     "the handler " + quoted(handler) + " gives " + shown(types_text(results)) +
                         ": a handler gives nothing or one integer"};
    }
    for (const ValueType& parameter : type->parameters) {
        if (parameter != i32 && parameter != i64 && parameter != f32 && parameter != f64) {
            return Error{Errc::handler_signature,
                         "the handler " + quoted(handler) + " takes " +
                             shown(types_text(type->parameters)) +
                             ": a handler takes numbers (i32, i64, f32, f64) or nothing"};
        }
    }
    std::vector<std::uint64_t> values;
    if (type->parameters.empty()) {
        return values;
    }
    if (type->parameters.size() != arguments.size()) {
        return Error{Errc::handler_signature,
                     "the handler " + quoted(handler) + " takes " +
                         shown(types_text(type->parameters)) + " but " +
                         std::to_string(arguments.size()) +
                         " arguments were given: give one number for each, as in `-- 1 2.5`"};
    }
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::optional<std::uint64_t> bits = parse_argument(arguments[i], type->parameters[i]);
        if (!bits) {
            return Error{Errc::handler_signature,
                         "argument " + std::to_string(i + 1) + " of the handler " +
                             quoted(handler) + " must be a number that fits " +
                             to_string(type->parameters[i]) + ", not " + quoted(arguments[i])};
        }
        values.push_back(*bits);
    }
    return values;
}

Result<void> check_handler(const Module& module,
                           std::string_view handler,
                           std::span<const std::string> arguments) {
    std::vector<std::string_view> names;
    for (const NamedFunction& function : exported_functions(module)) {
        names.push_back(function.name);
    }
    TRY(handler_arguments(handler, module.exported_function(handler), names, arguments));
    return {};
}

Result<void>
check_job(const Module& module, std::string_view handler, std::span<const std::string> arguments) {
    TRY(check_host(module));
    return check_handler(module, handler, arguments);
}

} // namespace ic::wasm_binary
