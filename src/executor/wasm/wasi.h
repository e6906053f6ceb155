#pragma once
/// WASI preview 1, lean: what a program needs that reads standard input, writes standard output and
/// error, and asks for arguments, environment, time and randomness. There are no files: nothing is
/// preopened, so every path function fails as if the guest had no right to a directory.
/// Source: WebAssembly/WASI, legacy/preview1/docs.md (wasi_snapshot_preview1), all 46 functions.

#include "base/result.h"
#include "executor/wasm/native.h"

#include <cstddef>
#include <cstdint>

namespace ic::executor::wasm {

namespace limits {
/// As POSIX's IOV_MAX on Linux: buffers of one read or write.
inline constexpr std::uint32_t iovecs_max = 1024;
/// Ours: subscriptions of one poll_oneoff.
inline constexpr std::uint32_t subscriptions_max = 1024;
} // namespace limits

inline constexpr std::size_t wasi_functions = 46;

/// Errors: internal.
Result<void> define_wasi(wasmtime_linker_t* linker);

} // namespace ic::executor::wasm
