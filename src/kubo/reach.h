#pragma once
/// How far Kubo goes for blocks that it does not have.

#include "kubo/rpc.h"

#include <chrono>

namespace ic::kubo {

namespace limits {
/// Ours: how much longer than Kubo's own limit we wait, so that its answer is what is seen.
inline constexpr std::chrono::milliseconds answer_grace{2'000};
} // namespace limits

/// A search without a limit never ends: Kubo waits until somebody has the block.
struct Reach {
    bool is_local = false; ///< What this Kubo has, and no more.
    std::chrono::milliseconds time_max{30'000};

    static Reach local() { return {.is_local = true}; }

    static Reach network(std::chrono::milliseconds time_max) { return {.time_max = time_max}; }
};

/// Puts Kubo's options `offline` or `timeout`, and our own limit, into a call.
void set_reach(RpcCall& call, const Reach& reach);

} // namespace ic::kubo
