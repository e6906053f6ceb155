#pragma once
/// Endings: what Wasmtime says when a guest cannot go on, as codes and sentences of ours.

#include "executor/wasm/native.h"
#include "job/receipt.h"
#include "job/spec.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ic::executor::wasm {

/// Why a call into a guest came back without a result. Takes both over; one of them is set.
struct Failure {
    ErrorHandle error;
    TrapHandle trap;
};

/// Where the code of an import is, for telling in which module a function was.
struct ImportImage {
    const std::uint8_t* start = nullptr;
    std::string_view name;
};

/// The ending for `failure` under `limits`: cause, where in the guest as far as the module has
/// names, and remedy, in one line. A function of one of `imports` stands there as "name!function".
job::Ending ending_for(const Failure& failure,
                       const job::Limits& limits,
                       std::span<const ImportImage> imports = {});

/// Text from a guest or engine as part of one line: control characters become spaces, and it ends
/// with "..." beyond `bytes_max`.
std::string one_line(std::string_view text, std::size_t bytes_max);

} // namespace ic::executor::wasm
