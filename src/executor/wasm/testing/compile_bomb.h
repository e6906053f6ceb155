#pragma once
/// A valid module whose compilation explodes.

#include "base/bytes.h"

#include <cstdint>

namespace ic::executor::wasm {

struct CompileBombOptions {
    std::uint32_t blocks = 60'000;
    std::uint32_t locals = 999;
};

/// One function, exported as "run", of nested blocks. Each may be left early, so that at its end
/// every local has two possible values, and all locals are used at the very end: a compiler in SSA
/// form then keeps blocks × locals values. About 12 bytes a block.
Bytes compile_bomb(const CompileBombOptions& options = {});

} // namespace ic::executor::wasm
