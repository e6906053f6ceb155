#pragma once
/// EmbeddedStore: blocks on this machine's disk, in LMDB, shared by all processes of one user.
/// Format: docs/formats/store.md.

#include "blockstore/blockstore.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>

namespace ic {

namespace limits {
/// Ours: how much `put` collects before it commits, so that the two disk syncs of a commit are
/// paid once a batch. It bounds the memory of an add and what a crash can take from one.
inline constexpr std::size_t store_batch_bytes_max = std::size_t{16} << 20U;
inline constexpr std::size_t store_batch_blocks_max = 4096;
} // namespace limits

struct EmbeddedOptions {
    std::string folder;          ///< Made with mode 0700 if it is missing.
    std::uint64_t bytes_max = 0; ///< Quota of the data file; 0: as much as the disk holds.
    std::size_t map_bytes_first = std::size_t{1} << 30U; ///< Doubled whenever it is full.
};

/// Blocks that are put wait in memory until the batch is large or `sync` asks; this process sees
/// them at once, other processes when they are committed, which is also when they are durable.
/// Calls of `sync` from several threads share commits (group commit).
///
/// `get` copies. Lending mapped bytes would keep a read transaction open for as long as a reader
/// likes; the map cannot grow while any is open, and the pages it sees cannot be used again. The
/// copy costs a sixth of the hashing that the first read of a block needs anyway.
///
/// Errors: storage_full (disk, quota or address space; with the remedy), unavailable, not_found.
/// After storage_full what waited still waits: a later `sync` tries again.
/// Threads: as BlockStore. Processes: any number, but at most one EmbeddedStore for a folder in one
/// process, and none of it is carried over a fork (LMDB's rules).
class EmbeddedStore final : public BlockStore {
public:
    /// Errors: unsupported for a store of a newer version; malformed if the file is not a store.
    static Result<std::unique_ptr<EmbeddedStore>> open(EmbeddedOptions options);

    /// Commits what waits, as far as that works.
    ~EmbeddedStore() override;

    Result<LentBytes> get(const Cid& cid) override;
    Result<void> put(const Cid& cid, ByteView data) override;
    Result<bool> has(const Cid& cid) override;
    Result<void> sync() override;
    /// Commits what waits, so that it is counted.
    Result<StoreStat> stat() override;

private:
    class Database; // All that knows LMDB.

    struct Batch {
        std::unordered_map<std::string, LentBytes> blocks; ///< By multihash.
        std::size_t bytes = 0;

        void add(std::string key, LentBytes data);
    };

    explicit EmbeddedStore(std::unique_ptr<Database> database);

    /// A block that is not committed yet. Requires: `mutex_` is held.
    const LentBytes* waiting(const std::string& key) const;
    Result<void> commit_everything_before(std::uint64_t batch, std::unique_lock<std::mutex>& lock);

    std::unique_ptr<Database> database_;
    std::mutex mutex_;
    std::condition_variable committed_;
    Batch collecting_; ///< Takes new blocks; its number is `batch_`.
    Batch committing_; ///< Being written by the thread that set `is_committing_`.
    bool is_committing_ = false;
    std::uint64_t batch_ = 1;
    std::uint64_t durable_ = 0; ///< All batches up to this number are on the disk.
};

} // namespace ic
