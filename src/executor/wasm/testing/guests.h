#pragma once
/// Guests for tests: WebAssembly text in, an outcome out, in one engine of the test program.

#include "executor/wasm/engine.h"
#include "executor/wasm/testing/memory_services.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ic::executor::wasm {

/// The bytes of a module in WebAssembly text. Requires: it is well-formed.
Bytes wasm_of(std::string_view wat);

/// A sealed memfd with these bytes, as an executor gets an artifact.
UniqueFd sealed(ByteView bytes);

/// The engine that all tests of the program share, as all runs of an executor share one: so each
/// test also shows that what ran before it left nothing behind.
Engine& shared_engine();

/// A pure task with small limits: 16 MiB, 64 KiB of output and of log, 4 MiB
/// to add.
Task small_task(std::string handler = "run");

/// One that is to be ended by its wall time: half a second.
Task hasty_task(std::string handler = "run");

/// Compiles and loads. Requires: both succeed.
std::shared_ptr<LoadedModule>
loaded(Engine& engine, std::string_view wat, const job::Limits& limits = {});

/// All of it, in the shared engine.
Outcome run_wat(std::string_view wat, const Task& task, Services& services);
Outcome run_wat(std::string_view wat, const Task& task = small_task());

} // namespace ic::executor::wasm
