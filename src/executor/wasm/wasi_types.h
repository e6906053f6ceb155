#pragma once
/// The numbers and layouts of WASI preview 1 that its functions share.
/// Source: WebAssembly/WASI, legacy/preview1/witx/typenames.witx.

#include "executor/wasm/run.h"

#include <cstdint>
#include <optional>

namespace ic::executor::wasm::wasi {

/// `errno`, as far as it is used here.
enum class Errno : std::int32_t {
    success = 0,
    badf = 8,
    fault = 21,
    inval = 28,
    notsup = 58,
    perm = 63,
    spipe = 70,
    notcapable = 76,
};

/// Addresses and sizes in the guest's memory.
using Address = std::uint32_t;
using Size = std::uint32_t;
using Fd = std::uint32_t;

inline constexpr Fd fd_input = 0;
inline constexpr Fd fd_output = 1;
inline constexpr Fd fd_errors = 2;

/// The standard stream `fd`, or nothing if it is closed or another number.
inline StandardStream* stream_of(Run& run, Fd fd) {
    return fd < run.standard.size() && run.standard[fd].open ? &run.standard[fd] : nullptr;
}

/// One buffer of a scatter or gather list (`iovec`, `ciovec`): address and size, 4 bytes each.
struct Buffer {
    Address address = 0;
    Size size = 0;
};

inline std::optional<Buffer>
load_buffer(const GuestMemory& memory, Address list, std::uint32_t index) {
    const std::uint64_t at = std::uint64_t{list} + std::uint64_t{8} * index;
    const auto address = memory.load<std::uint32_t>(at);
    const auto size = memory.load<std::uint32_t>(at + 4);
    if (!address || !size) {
        return std::nullopt;
    }
    return Buffer{*address, *size};
}

/// wasi_fd.cc, wasi_poll.cc: the larger groups of functions.
Result<void> define_fd(wasmtime_linker_t* linker);
Result<void> define_poll(wasmtime_linker_t* linker);

inline constexpr std::string_view module_name = "wasi_snapshot_preview1";

} // namespace ic::executor::wasm::wasi
