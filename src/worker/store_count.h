#pragma once
/// How much a worker's store holds, counted now and then: a scan costs more than a short run.

#include "base/time.h"
#include "blockstore/blockstore.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace ic::worker {

/// Threads: any. The store outlives it.
class StoreCount {
public:
    explicit StoreCount(BlockStore& store) : store_(store) {}

    /// Bytes; nothing if it was counted lately, or cannot be. May wait for the disk.
    std::optional<std::uint64_t> if_due() {
        const std::int64_t now = now_since_boot().since_boot.count();
        std::int64_t last = counted_ns_;
        if ((last != 0 && now - last < std::chrono::nanoseconds(every).count()) ||
            !counted_ns_.compare_exchange_strong(last, now)) {
            return std::nullopt;
        }
        const Result<StoreStat> stat = store_.stat();
        return stat ? std::optional{stat->bytes} : std::nullopt;
    }

private:
    /// Ours.
    static constexpr std::chrono::seconds every{30};

    BlockStore& store_;
    std::atomic<std::int64_t> counted_ns_{0}; ///< Since boot.
};

} // namespace ic::worker
