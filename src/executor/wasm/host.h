#pragma once
/// The host functions ipfsCompute...: docs/formats/abi.md.

#include "base/result.h"
#include "executor/wasm/native.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace ic::executor::wasm {

inline constexpr std::size_t host_functions = 12;

/// All of them, in `env` and in `ipfs_compute`. Errors: internal.
Result<void> define_host(wasmtime_linker_t* linker);

/// `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD each.
std::string json_string(std::string_view text);

} // namespace ic::executor::wasm
