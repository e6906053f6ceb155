#pragma once
/// The host that modules meet here (docs/formats/abi.md): which functions it has, and whether a
/// module can run on it. One set of words for everybody who refuses a module: `submit` before it
/// sends it, the compiler process when a worker has it.

#include "base/result.h"
#include "wasm_binary/module.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ic::wasm_binary {

/// What a function tells a guest that is not the same everywhere, in an impure job.
enum class Observes : std::uint8_t { nothing, clock, random, network };

/// A function that a module may import. Parameters and result by letter: i is i32, I is i64.
struct HostFunction {
    std::string_view name;
    std::string_view parameters;
    std::string_view result; ///< Empty: nothing.
    Observes observes = Observes::nothing;
};

inline constexpr std::string_view wasi_module = "wasi_snapshot_preview1";

/// All 46 of WASI preview 1, sorted by name.
std::span<const HostFunction> wasi_functions();
/// Ours, sorted by name: importable from `env` and from `ipfs_compute`.
std::span<const HostFunction> compute_functions();

/// The function that an import of these names gets; null if there is none.
const HostFunction* host_function(std::string_view module, std::string_view name);

/// Whether host functions are imported from a module of this name.
bool is_host_module(std::string_view module);

FunctionType type_of(const HostFunction& function);

/// Whether `module` can be instantiated here, beside modules of the names `linked` (what those
/// export is not looked at: linking.h). Errors: module_invalid (it needs what is switched off),
/// import_missing; each with what to change.
Result<void> check_host(const Module& module, std::span<const std::string_view> linked = {});

/// Whether a pure job can do all that the module is made for: it can run here, with those modules
/// that it imports from, and imports no function that a pure job is refused.
bool can_be_pure(const Module& module);

// --- handlers -----------------------------------------------------------------------------------

/// An exported function as people see it.
struct NamedFunction {
    std::string_view name;
    FunctionType type;
};

/// Sorted by name.
std::vector<NamedFunction> exported_functions(const Module& module);

/// The arguments of a job as the bits of the handler's parameters, in order: decimal, or for
/// integers 0x and hexadecimal digits. A handler without parameters gives none, however many there
/// are (it finds them through WASI). `type` is null where no function has that name.
/// Errors: handler_missing, with the exports; handler_signature.
Result<std::vector<std::uint64_t>> handler_arguments(std::string_view handler,
                                                     const FunctionType* type,
                                                     std::span<const std::string_view> exports,
                                                     std::span<const std::string> arguments);

/// As `handler_arguments`, of an export of `module`.
Result<void> check_handler(const Module& module,
                           std::string_view handler,
                           std::span<const std::string> arguments);

/// `check_host`, then `handler_arguments`. Errors: of both.
Result<void>
check_job(const Module& module, std::string_view handler, std::span<const std::string> arguments);

} // namespace ic::wasm_binary
