#include "executor/wasm/profile.h"

#include "executor/wasm/guest_clock.h"

namespace ic::executor::wasm {
namespace {

/// Lends `text` for a call.
wasm_name_t lent(const std::string& text) {
    return {.size = text.size(), .data = const_cast<char*>(text.data())};
}

} // namespace

GuestProfile::GuestProfile(const wasm_engine_t& engine,
                           const wasmtime_module_t& module,
                           const wasmtime_store_t& store,
                           const std::string& name)
    : store_(store)
    , processor_time_(thread_processor_time()) {
    const wasm_name_t lent_name = lent(name);
    const wasmtime_guestprofiler_modules_t modules{.name = &lent_name, .mod = &module};
    profiler_.reset(wasmtime_guestprofiler_new(
        &engine,
        &lent_name,
        static_cast<std::uint64_t>(std::chrono::nanoseconds(profile_interval).count()),
        &modules,
        1));
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
