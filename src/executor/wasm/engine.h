#pragma once
/// Engine: WebAssembly inside an executor or compiler process. Compiles modules to artifacts, loads
/// artifacts, and runs one task in a fresh instance, within every limit.

#include "base/bytes.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "executor/executor.h"
#include "executor/wasm/services.h"
#include "multiformats/cid.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace ic::executor::wasm {

/// Whether the machine code counts fuel. Counting costs speed, so it is another artifact.
enum class Metering : std::uint8_t { none = 0, fuel = 1 };

/// What `limits` ask for.
inline Metering metering_of(const job::Limits& limits) {
    return limits.fuel_max == 0 ? Metering::none : Metering::fuel;
}

/// Whose instructions the machine code may use.
enum class Processor : std::uint8_t {
    here,   ///< All of this machine's.
    oldest, ///< Those alone that every processor of this kind has. For tests of determinism.
};

struct EngineOptions {
    std::uint32_t slots = 1;      ///< Runs at the same time, each on a thread of its own.
    std::size_t modules_max = 64; ///< Loaded modules that are kept, the least recently used go.
    Processor processor = Processor::here;
    Debugging debugging{}; ///< Of every run, to `Services::trace` and `dump`.
};

/// Which loaded module: the same bytes with and without fuel are two.
struct ModuleKey {
    Cid module;
    Metering metering = Metering::none;

    friend auto operator<=>(const ModuleKey&, const ModuleKey&) = default;
};

/// Names the engine's version, its settings and the processor's features: an artifact is good only
/// under the fingerprint it was compiled under, so a cache has it in its key.
std::string engine_fingerprint(Metering metering);

/// A loaded module, linked once unless it imports from other modules: an instance of it is a copy
/// of its memory image away.
class LoadedModule;

/// Threads: `compile`, `load`, `find` and `run` from any thread; at most `slots` runs at once.
class Engine {
public:
    /// Errors: internal (no address space for the pool).
    static Result<std::unique_ptr<Engine>> open(const EngineOptions& options);

    virtual ~Engine() = default;

    /// Machine code for `wasm`, which may import from modules of the names `linked`. Takes as long
    /// and as much memory as it takes: only a process that may be killed calls this. Errors:
    /// module_too_large, module_invalid (a message that says what and where; components and text
    /// are named as such), import_missing, internal.
    virtual Result<Bytes>
    compile(ByteView wasm, const job::Limits& limits, std::span<const std::string_view> linked) = 0;

    Result<Bytes> compile(ByteView wasm, const job::Limits& limits) {
        return compile(wasm, limits, {});
    }

    /// Whether the module is loaded; it counts as used.
    virtual std::shared_ptr<LoadedModule> find(const ModuleKey& key) = 0;

    /// Maps the artifact in `artifact` and links it to the host; from then on `find` has it. The
    /// descriptor is a sealed memfd whose bytes the caller has authenticated: they are machine
    /// code. `shared_ptr`: a run keeps a module that the cache drops meanwhile. Errors:
    /// import_missing; unsupported (compiled by another engine or for another processor: compile
    /// again), internal.
    virtual Result<std::shared_ptr<LoadedModule>> load(const ModuleKey& key, UniqueFd artifact) = 0;

    /// Runs `task` in new instances of `module` and of those of `imports` that it needs, and
    /// returns when nothing of them is left; `imports` are `task.spec.imports`, all metered as
    /// `module` is. Every failure is an ending with a code. `usage` has run, cpu, fuel, memory,
    /// bytes and host calls; fetch, compile and publish are the caller's.
    virtual Outcome run(LoadedModule& module,
                        std::span<const std::shared_ptr<LoadedModule>> imports,
                        const Task& task,
                        Services& services) = 0;

    /// Without imports.
    Outcome run(LoadedModule& module, const Task& task, Services& services) {
        return run(module, {}, task, services);
    }
};

} // namespace ic::executor::wasm
