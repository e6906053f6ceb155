#pragma once
/// ReadAhead: has blocks ready before their reader asks, on other processors.

#include "ipld/block.h"

#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace ic {

struct ReadAheadOptions {
    /// Blocks that may be held ready or be on their way: 16 MiB at most with blocks of 2 MiB.
    std::size_t blocks_max = 8;
    std::size_t threads = 1; ///< Beside the reader's own.
};

/// Gets from `inner` what `expect` names, so that hashing and copying go on while the reader passes
/// on what it has; a reader that is faster takes the next block itself instead of waiting. What the
/// reader no longer expects is let go. Threads start at the first hint and end with this.
///
/// Errors: as `inner`. Threads: any; `inner` must allow its own (as a BlockStore does).
/// Lifetime: `inner` outlives it.
class ReadAhead final : public BlockSource {
public:
    ReadAhead(BlockSource& inner, ReadAheadOptions options);
    ReadAhead(const ReadAhead&) = delete;
    ReadAhead& operator=(const ReadAhead&) = delete;
    ~ReadAhead() override;

    Result<LentBytes> get(const Cid& cid) override;
    std::size_t foresight_blocks() const override;
    void expect(const Cid& file, std::span<const UpcomingBlock> soon) override;
    void plan(const ReadPlan& plan) override;

private:
    enum class State { waiting, running, ready };

    struct Slot {
        Cid cid;
        State state = State::waiting;
        std::optional<Result<LentBytes>> block{}; ///< When ready.
        bool wanted = true;                       ///< Nobody wants it once it has been let go.
    };

    using Slots = std::list<Slot>; // Places stay while others come and go.

    Slots::iterator find(const Cid& cid);
    void work();

    BlockSource& inner_;
    const ReadAheadOptions options_;
    std::mutex mutex_;
    std::condition_variable work_;  ///< For workers: something waits, or the end.
    std::condition_variable ready_; ///< For readers: a block is ready.
    Slots slots_;
    bool ending_ = false;
    std::vector<std::thread> workers_;
};

} // namespace ic
