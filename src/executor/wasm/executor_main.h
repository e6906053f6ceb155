#pragma once
/// The programs inside executor and compiler processes. The broker starts them (executor/process)
/// with their channel as descriptor 3 (executor/channel/walls.h).

#include <string_view>

namespace ic::executor::wasm {

/// Runs tasks until the broker closes the channel. `broker` is the last argument that the process
/// got: the broker's process id. Gives the exit status: 0, or 1 with a line on standard error.
int run_executor(std::string_view broker);

/// Compiles one module and ends. As `run_executor`.
int run_compiler(std::string_view broker);

} // namespace ic::executor::wasm
