#pragma once
/// The engine's settings: one set for every module, so that artifacts and results depend on nothing
/// else. A change here changes `engine_fingerprint`.

#include "executor/wasm/engine.h"
#include "executor/wasm/limits.h"
#include "executor/wasm/native.h"

#include <chrono>
#include <cstdint>

namespace ic::executor::wasm {

/// How often a running guest is asked whether it may go on.
inline constexpr std::chrono::milliseconds tick_interval{10};

/// Errors: internal (the pool's address space cannot be reserved).
Result<EngineHandle> open_wasm_engine(Metering metering, const EngineOptions& options);

} // namespace ic::executor::wasm
