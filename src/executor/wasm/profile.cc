#include "executor/wasm/profile.h"

#include "executor/wasm/guest_clock.h"

#include <vector>

namespace ic::executor::wasm {
namespace {

/// Lends `text` for a call.
wasm_name_t lent(const std::string& text) {
    return {.size = text.size(), .data = const_cast<char*>(text.data())};
}

} // namespace

GuestProfile::GuestProfile(const wasm_engine_t& engine,
                           std::span<const ProfiledModule> modules,
                           const wasmtime_store_t& store)
    : store_(store)
    , processor_time_(thread_processor_time()) {
    std::vector<wasm_name_t> names;
    std::vector<wasmtime_guestprofiler_modules_t> lent_modules;
    names.reserve(modules.size());
    for (const ProfiledModule& module : modules) {
        names.push_back(lent(module.name));
        lent_modules.push_back({.name = &names.back(), .mod = module.module});
    }
    profiler_.reset(wasmtime_guestprofiler_new(
        &engine,
        names.data(),
        static_cast<std::uint64_t>(std::chrono::nanoseconds(profile_interval).count()),
        lent_modules.data(),
        lent_modules.size()));
}

void GuestProfile::sample() {
    const std::uint64_t now = thread_processor_time();
    wasmtime_guestprofiler_sample(profiler_.get(), &store_, now - processor_time_);
    processor_time_ = now;
}

Result<std::string> GuestProfile::finish() && {
    wasm_byte_vec_t bytes;
    // It takes the profiler over in any case.
    if (const ErrorHandle error{wasmtime_guestprofiler_finish(profiler_.release(), &bytes)}) {
        return Error{Errc::internal, "the profile cannot be written: " + message_of(*error)};
    }
    std::string text = string_of(bytes);
    wasm_byte_vec_delete(&bytes);
    return text;
}

} // namespace ic::executor::wasm
