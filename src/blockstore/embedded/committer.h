#pragma once
/// Committer: what waits to be committed, and who commits it. For this folder's sources.

#include "blockstore/embedded/block_table.h"
#include "blockstore/embedded/sessions.h"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ic::embedded {

/// Collects batches and commits them one after the other; who asks while one is being committed
/// waits for it and shares the next. Threads: any.
class Committer {
public:
    Committer(BlockTable& table, Sessions& sessions) : table_(table), sessions_(sessions) {}

    /// What waits under this key, with its bytes: the block, or where it is.
    std::optional<Waiting> find(const std::string& key);

    /// Whether it waits, with or without bytes, for a commit that has not begun: what it is stamped
    /// with comes after every session of now. One that is being committed may be stamped already.
    bool will_be_stamped(const std::string& key);

    /// Queues; commits first if the batch is full. Errors: as `sync`.
    Result<void> add(const std::string& key, Waiting block);

    /// What was added before is durable on return. Errors: as BlockTable::write. What could not be
    /// written waits on, but protected blocks that are gone.
    Result<void> sync();

    /// Commits all that was added before, and the change with it. Errors: as `sync`; the change's
    /// refusal.
    Result<void> change_pins(PinChange change);

    /// Bytes in segments that wait.
    std::uint64_t appended_bytes();

private:
    Result<void> commit_everything_before(std::uint64_t batch, std::unique_lock<std::mutex>& lock);
    /// Requires: nobody is committing.
    Result<void> commit(PinChange* change, std::unique_lock<std::mutex>& lock);
    const Waiting* find_locked(const std::string& key) const;
    void wait_on(Batch failed, const std::vector<std::string>& gone);

    BlockTable& table_;
    Sessions& sessions_;
    std::mutex mutex_;
    std::condition_variable committed_;
    Batch collecting_; ///< Takes new blocks; its number is `batch_`.
    Batch committing_; ///< Being written by the thread that set `is_committing_`.
    bool is_committing_ = false;
    std::uint64_t batch_ = 1;
    std::uint64_t durable_ = 0; ///< All batches up to this number are on the disk.
};

} // namespace ic::embedded
