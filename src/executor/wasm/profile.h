#pragma once
/// GuestProfile: where one run spends its time, as a file that Firefox Profiler opens.

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "executor/wasm/native.h"

#include <chrono>
#include <memory>
#include <span>
#include <string>

namespace ic::executor::wasm {

/// How often the stack of a guest is looked at that is profiled.
inline constexpr std::chrono::milliseconds profile_interval{1};

struct ProfiledModule {
    std::string name;
    const wasmtime_module_t* module = nullptr;
};

/// Threads: one, that of the guest. Lifetime: engine, modules and store outlive it.
class GuestProfile {
public:
    /// `modules` are the run's, its own first, each with a name.
    GuestProfile(const wasm_engine_t& engine,
                 std::span<const ProfiledModule> modules,
                 const wasmtime_store_t& store);

    /// Takes the guest's stack as it is now. From an epoch's callback only.
    void sample();

    /// The file's bytes: JSON in the "processed profile" format. Errors: internal.
    Result<std::string> finish() &&;

private:
    std::unique_ptr<wasmtime_guestprofiler_t, Deleter<&wasmtime_guestprofiler_delete>> profiler_;
    const wasmtime_store_t& store_;
    std::uint64_t processor_time_;
};

} // namespace ic::executor::wasm
