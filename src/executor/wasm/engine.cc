#include "executor/wasm/engine.h"

#include "executor/wasm/boundary.h"
#include "executor/wasm/endings.h"
#include "executor/wasm/engine_config.h"
#include "executor/wasm/handler.h"
#include "executor/wasm/host.h"
#include "executor/wasm/linking.h"
#include "executor/wasm/loaded_module.h"
#include "executor/wasm/native.h"
#include "executor/wasm/profile.h"
#include "executor/wasm/run.h"
#include "executor/wasm/ticker.h"
#include "executor/wasm/tracer.h"
#include "executor/wasm/wasi.h"
#include "wasm_binary/host_abi.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace ic::executor::wasm {
namespace {

constexpr std::size_t detail_bytes_max = 1000;
constexpr std::string_view initialize_name = "_initialize";

/// One of Wasmtime's engines with all that modules can import.
struct Machine {
    EngineHandle engine;
    LinkerHandle linker;
};

Result<Machine> open_machine(Metering metering, const EngineOptions& options) {
    Machine machine;
    machine.engine = TRY(open_wasm_engine(metering, options));
    machine.linker.reset(wasmtime_linker_new(machine.engine.get()));
    TRY(define_wasi(machine.linker.get()));
    TRY(define_host(machine.linker.get()));
    return machine;
}

/// Called in the guest's thread at the first check after a tick of the epoch.
wasmtime_error_t* on_tick(wasmtime_context_t* /*context*/,
                          void* data,
                          std::uint64_t* delta,
                          wasmtime_update_deadline_kind_t* kind) {
    Run& run = *static_cast<Run*>(data);
    bool go_on = false;
    guarded(run, [&] {
        if (run.profile != nullptr) {
            run.profile->sample();
        }
        go_on = run.beat();
    });
    *delta = 1;
    *kind = WASMTIME_UPDATE_DEADLINE_CONTINUE;
    return go_on ? nullptr : wasmtime_error_new("the run has ended");
}

/// Refuses what cannot run here, with what to change. What our reader finds damaged is left to the
/// engine, which has the last word on what is valid.
Result<void> refuse_early(ByteView wasm, std::span<const std::string_view> linked) {
    const Result<wasm_binary::Module> module = wasm_binary::parse(wasm);
    if (module) {
        return wasm_binary::check_host(*module, linked);
    }
    if (wasm_binary::content_of(wasm) != wasm_binary::Content::module) {
        return Error{module.error()};
    }
    return {};
}

/// What one run is made of.
struct RunModules {
    const Machine& machine;
    const LoadedModule& main;
    std::vector<NeededImport> imports{}; ///< In the order in which they are instantiated.
};

class WasmEngine final : public Engine {
public:
    WasmEngine(const EngineOptions& options, Machine plain)
        : options_(options)
        , plain_(std::move(plain))
        , ticker_(options.debugging.profile ? profile_interval : tick_interval,
                  [this] { tick(); }) {}

    Result<Bytes> compile(ByteView wasm,
                          const job::Limits& limits,
                          std::span<const std::string_view> linked) override;
    std::shared_ptr<LoadedModule> find(const ModuleKey& key) override;
    Result<std::shared_ptr<LoadedModule>> load(const ModuleKey& key, UniqueFd artifact) override;
    Outcome run(LoadedModule& module,
                std::span<const std::shared_ptr<LoadedModule>> imports,
                const Task& task,
                Services& services) override;

private:
    /// A run's object goes back to the others of its engine when the run is over.
    class Borrowed {
    public:
        explicit Borrowed(WasmEngine& engine) : engine_(engine), run_(engine.borrow()) {}

        Borrowed(const Borrowed&) = delete;
        Borrowed& operator=(const Borrowed&) = delete;

        ~Borrowed() { engine_.give_back(std::move(run_)); }

        Run& operator*() { return *run_; }

    private:
        WasmEngine& engine_;
        std::unique_ptr<Run> run_;
    };

    Result<Machine*> machine(Metering metering);
    void tick() noexcept;
    std::unique_ptr<Run> borrow();
    void give_back(std::unique_ptr<Run> run);
    void execute(const RunModules& modules, Run& run) const;
    void execute_debugged(const RunModules& modules, Run& run) const;

    const EngineOptions options_;
    Machine plain_;
    /// Made at the first need: most jobs count no fuel, and a pool costs address space.
    std::unique_ptr<Machine> metered_;
    std::atomic<wasm_engine_t*> metered_engine_{nullptr};
    std::mutex mutex_;
    std::list<std::pair<ModuleKey, std::shared_ptr<LoadedModule>>> modules_; // Most recent first.
    std::vector<std::unique_ptr<Run>> idle_runs_;
    Ticker ticker_; // Last: it ticks engines that must be there.
};

Result<Machine*> WasmEngine::machine(Metering metering) {
    if (metering == Metering::none) {
        return &plain_;
    }
    const std::lock_guard lock(mutex_);
    if (!metered_) {
        metered_ = std::make_unique<Machine>(TRY(open_machine(metering, options_)));
        metered_engine_.store(metered_->engine.get());
    }
    return metered_.get();
}

void WasmEngine::tick() noexcept {
    wasmtime_engine_increment_epoch(plain_.engine.get());
    if (wasm_engine_t* metered = metered_engine_.load()) {
        wasmtime_engine_increment_epoch(metered);
    }
}

std::unique_ptr<Run> WasmEngine::borrow() {
    const std::lock_guard lock(mutex_);
    if (idle_runs_.empty()) {
        return std::make_unique<Run>();
    }
    std::unique_ptr<Run> run = std::move(idle_runs_.back());
    idle_runs_.pop_back();
    return run;
}

void WasmEngine::give_back(std::unique_ptr<Run> run) {
    const std::lock_guard lock(mutex_);
    idle_runs_.push_back(std::move(run));
}

Result<Bytes> WasmEngine::compile(ByteView wasm,
                                  const job::Limits& limits,
                                  std::span<const std::string_view> linked) {
    if (wasm.size() > limits.module_bytes_max) {
        return Error{Errc::module_too_large,
                     "the module has " + std::to_string(wasm.size()) + " bytes, the limit is " +
                         std::to_string(limits.module_bytes_max) +
                         ": strip debug information or raise --module-size"};
    }
    TRY(refuse_early(wasm, linked));
    wasm_engine_t* engine = TRY(machine(metering_of(limits)))->engine.get();
    wasmtime_module_t* made = nullptr;
    if (const ErrorHandle error{wasmtime_module_new(engine, wasm.data(), wasm.size(), &made)}) {
        return Error{Errc::module_invalid,
                     "the module does not compile: " +
                         one_line(message_of(*error), detail_bytes_max)};
    }
    const ModuleHandle module(made);
    wasm_byte_vec_t artifact;
    if (const ErrorHandle error{wasmtime_module_serialize(module.get(), &artifact)}) {
        return Error{Errc::internal, "cannot serialize the compiled module: " + message_of(*error)};
    }
    const auto* first = reinterpret_cast<const std::uint8_t*>(artifact.data);
    Bytes bytes(first, first + artifact.size);
    wasm_byte_vec_delete(&artifact);
    return bytes;
}

std::shared_ptr<LoadedModule> WasmEngine::find(const ModuleKey& key) {
    const std::lock_guard lock(mutex_);
    const auto at = std::ranges::find(modules_, key, [](const auto& entry) { return entry.first; });
    if (at == modules_.end()) {
        return nullptr;
    }
    modules_.splice(modules_.begin(), modules_, at);
    return at->second;
}

Result<std::shared_ptr<LoadedModule>> WasmEngine::load(const ModuleKey& key, UniqueFd artifact) {
    Machine* machine = TRY(this->machine(key.metering));
    wasmtime_module_t* made = nullptr;
    if (const ErrorHandle error{
            ic_module_deserialize_fd(machine->engine.get(), artifact.release(), &made)}) {
        return Error{Errc::unsupported,
                     "the artifact does not fit this engine and processor: " +
                         one_line(message_of(*error), detail_bytes_max)};
    }
    std::shared_ptr<LoadedModule> module =
        TRY(LoadedModule::link(machine->linker.get(), ModuleHandle(made), key.metering));
    const std::lock_guard lock(mutex_);
    std::erase_if(modules_, [&](const auto& entry) { return entry.first == key; });
    modules_.emplace_front(key, module);
    while (modules_.size() > options_.modules_max) {
        modules_.pop_back();
    }
    return module;
}

/// In pieces; nothing if it is larger than the broker would take.
void send_dump(Run& run, Dump kind, ByteView bytes) {
    guarded(run, [&] {
        if (bytes.size() > dump_bytes_max(run.task().spec.limits)) {
            return;
        }
        while (!bytes.empty()) {
            const ByteView piece = bytes.first(std::min(bytes.size(), limits::log_piece_bytes_max));
            run.services().dump(kind, piece);
            bytes = bytes.subspan(piece.size());
        }
    });
}

/// Instantiates, then calls `_initialize` of a reactor and the handler; what it comes to is in
/// `run`.
class Execution {
public:
    Execution(wasmtime_store_t* store, const RunModules& modules, Run& run)
        : store_(store)
        , context_(wasmtime_store_context(store))
        , modules_(modules)
        , run_(run) {}

    /// The imports first, each a reactor or library that is ready when the next one starts.
    void instantiate() {
        for (const NeededImport& import : modules_.imports) {
            void* end = nullptr;
            void* image = nullptr;
            wasmtime_module_image_range(&import.module->module(), &image, &end);
            images_.push_back({static_cast<const std::uint8_t*>(image), import.name});
            started_.push_back({.name = import.name, .instance = start(*import.module)});
            if (!run_.ended()) {
                initialize(*import.module, started_.back().instance);
            }
            if (run_.ended()) {
                return;
            }
        }
        instance_ = start(modules_.main);
    }

    void initialize() { initialize(modules_.main, instance_); }

    void call(std::string_view name, wasmtime_val_raw_t* values, std::size_t count) {
        call(instance_, name, values, count);
    }

    /// Of the exported memory, at the end.
    std::uint64_t memory_bytes() {
        wasmtime_extern_t item;
        if (instance_.store_id != 0 &&
            wasmtime_instance_export_get(context_, &instance_, "memory", 6, &item)) {
            if (item.kind == WASMTIME_EXTERN_MEMORY) {
                run_.remember_memory(item.of.memory);
            }
            wasmtime_extern_delete(&item);
        }
        return run_.memory_bytes(context_);
    }

private:
    wasmtime_instance_t start(const LoadedModule& module) {
        wasmtime_instance_t instance{};
        wasm_trap_t* trap = nullptr;
        wasmtime_error_t* error = nullptr;
        if (module.instance_pre() != nullptr) {
            error = wasmtime_instance_pre_instantiate(
                module.instance_pre(), context_, &instance, &trap);
        } else {
            const Result<Externs> imports =
                resolve_imports(module, *modules_.machine.linker, context_, started_);
            if (!imports) {
                run_.stop(imports.error().code, imports.error().message);
                return instance;
            }
            error = wasmtime_instance_new(
                context_, &module.module(), imports->data(), imports->size(), &instance, &trap);
        }
        fail_if(ErrorHandle(error), TrapHandle(trap));
        return instance;
    }

    void initialize(const LoadedModule& module, const wasmtime_instance_t& instance) {
        const FunctionExport* function = module.find(initialize_name);
        if (function != nullptr && function->type == wasm_binary::FunctionType{}) {
            call(instance, initialize_name, nullptr, 0);
        }
    }

    void call(const wasmtime_instance_t& instance,
              std::string_view name,
              wasmtime_val_raw_t* values,
              std::size_t count) {
        wasmtime_extern_t item;
        if (!wasmtime_instance_export_get(context_, &instance, name.data(), name.size(), &item)) {
            run_.stop(Errc::internal, "an export of the module is gone");
            return;
        }
        wasm_trap_t* trap = nullptr;
        ErrorHandle error(
            wasmtime_func_call_unchecked(context_, &item.of.func, values, count, &trap));
        fail_if(std::move(error), TrapHandle(trap));
    }

    void fail_if(ErrorHandle error, TrapHandle trap) {
        if (!error && !trap) {
            return;
        }
        const Failure failure{std::move(error), std::move(trap)};
        if (!run_.ended()) { // Else a host function or the ticker has said why already.
            const job::Ending ending = ending_for(failure, run_.task().spec.limits, images_);
            run_.stop(*ending.error, ending.message);
        }
        if (run_.ending().error) {
            dump_core(failure);
        }
    }

    /// Does nothing of an engine without core dumps.
    void dump_core(const Failure& failure) {
        const std::string name = run_.task().spec.module.to_string();
        ic_coredump(
            store_,
            failure.trap.get(),
            failure.error.get(),
            name.data(),
            name.size(),
            [](void* run, const std::uint8_t* bytes, std::size_t size) {
                send_dump(*static_cast<Run*>(run), Dump::coredump, {bytes, size});
            },
            &run_);
    }

    wasmtime_store_t* store_;
    wasmtime_context_t* context_;
    const RunModules& modules_;
    Run& run_;
    std::vector<Started> started_;
    std::vector<ImportImage> images_;
    wasmtime_instance_t instance_{};
};

/// By the names under which a profile shows them.
std::vector<ProfiledModule> profiled(const RunModules& modules, const job::JobSpec& spec) {
    std::vector<ProfiledModule> all{{spec.module.to_string(), &modules.main.module()}};
    for (const NeededImport& import : modules.imports) {
        all.push_back({std::string(import.name), &import.module->module()});
    }
    return all;
}

void WasmEngine::execute(const RunModules& modules, Run& run) const {
    const job::JobSpec& spec = run.task().spec;
    Result<HandlerCall> prepared = prepare_handler(modules.main, spec);
    if (!prepared.ok()) {
        run.stop(prepared.error().code, prepared.error().message);
        return;
    }
    HandlerCall call = std::move(prepared).take();
    const bool is_linked = !modules.imports.empty();
    std::size_t memory_bytes = 0; // Of all modules. The store counts here, so it comes later.
    const StoreHandle store(wasmtime_store_new(modules.machine.engine.get(), &run, nullptr));
    wasmtime_context_t* context = wasmtime_store_context(store.get());
    ic_store_limits_trap(store.get(),
                         spec.limits.memory_bytes_max,
                         spec.limits.table_elements_max,
                         1 + modules.imports.size(),
                         limits::tables_max,
                         1 + modules.imports.size(),
                         is_linked ? &memory_bytes : nullptr);
    if (modules.main.metering() == Metering::fuel) {
        const ErrorHandle none(wasmtime_context_set_fuel(context, spec.limits.fuel_max));
        assert(!none);
    }
    wasmtime_store_epoch_deadline_callback(store.get(), &on_tick, &run, nullptr);
    wasmtime_context_set_epoch_deadline(context, 1);

    std::optional<GuestProfile> profile;
    if (options_.debugging.profile) {
        profile.emplace(*modules.machine.engine, profiled(modules, spec), *store);
        run.profile = &*profile;
    }
    Execution execution(store.get(), modules, run);
    execution.instantiate();
    if (!run.ended() && spec.handler != "_start" && spec.handler != initialize_name) {
        execution.initialize();
    }
    if (!run.ended()) {
        execution.call(spec.handler, call.values.data(), call.values.size());
    }
    if (!run.ended()) {
        run.give(value_of(call));
    }
    run.usage.memory_bytes_peak = is_linked ? memory_bytes : execution.memory_bytes();
    if (std::uint64_t left = 0; modules.main.metering() == Metering::fuel) {
        const ErrorHandle none(wasmtime_context_get_fuel(context, &left));
        run.usage.fuel = spec.limits.fuel_max - std::min(left, spec.limits.fuel_max);
    }
    if (profile) {
        run.profile = nullptr;
        if (const Result<std::string> file = std::move(*profile).finish()) {
            send_dump(run, Dump::profile, bytes_of(*file));
        }
    }
}

void WasmEngine::execute_debugged(const RunModules& modules, Run& run) const {
    if (!options_.debugging.trace) {
        execute(modules, run);
        return;
    }
    Tracer tracer(run.services(), now_since_boot());
    run.tracer = &tracer;
    execute(modules, run);
    run.tracer = nullptr;
    tracer.finish();
}

Outcome WasmEngine::run(LoadedModule& module,
                        std::span<const std::shared_ptr<LoadedModule>> imports,
                        const Task& task,
                        Services& services) {
    Outcome outcome;
    const Result<Machine*> machine = this->machine(module.metering());
    if (!machine.ok()) {
        outcome.ending.error = machine.error().code;
        outcome.ending.message = machine.error().message;
        return outcome;
    }
    RunModules modules{.machine = **machine, .main = module};
    if (!module.needs().empty()) {
        Result<std::vector<NeededImport>> needed = needed_imports(module, task.spec, imports);
        if (!needed) {
            outcome.ending.error = needed.error().code;
            outcome.ending.message = needed.error().message;
            return outcome;
        }
        modules.imports = std::move(needed).take();
    }
    Borrowed borrowed(*this);
    Run& run = *borrowed;
    run.begin(task, services);
    ticker_.enter();
    guarded(run, [&] {
        if (run.may_go_on()) {
            execute_debugged(modules, run);
        }
    });
    ticker_.leave();
    guarded(run, [&] { run.finish(); });
    outcome.ending = run.ending();
    constexpr std::size_t mark_bytes = 3; // Of "..." where it is cut.
    outcome.ending.message =
        one_line(outcome.ending.message, job::limits::ending_message_bytes_max - mark_bytes);
    outcome.usage = run.usage;
    run.capture.take(outcome.output, outcome.errors, outcome.log);
    return outcome;
}

} // namespace

Result<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options) {
    Machine plain = TRY(open_machine(Metering::none, options));
    return std::unique_ptr<Engine>(std::make_unique<WasmEngine>(options, std::move(plain)));
}

} // namespace ic::executor::wasm
