#pragma once
/// EmbeddedStore: blocks on this machine's disk, small ones in LMDB and large ones in segment
/// files, shared by all processes of one user. Format: docs/formats/store.md.

#include "blockstore/blockstore.h"
#include "blockstore/pins.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ic {

namespace limits {
/// Ours: how much `put` collects before it commits, so that the disk syncs of a commit are paid
/// once a batch. It bounds the memory of an add and what a crash can take from one.
inline constexpr std::size_t store_batch_bytes_max = std::size_t{16} << 20U;
inline constexpr std::size_t store_batch_blocks_max = 4096;
/// Ours: what a batch may have in segments, where it takes no memory of this process.
inline constexpr std::uint64_t store_batch_appended_max = std::uint64_t{256} << 20U;
} // namespace limits

struct EmbeddedOptions {
    std::string folder{};        ///< Made with mode 0700 if it is missing.
    std::uint64_t bytes_max = 0; ///< Quota of what the blocks take; 0: as much as the disk holds.
    std::size_t map_bytes_first = std::size_t{1} << 30U; ///< Doubled whenever it is full.
    /// Blocks from this size on go into segments. docs/decisions/0002-blocks-in-segments.md.
    std::size_t segment_block_bytes_min = std::size_t{32} << 10U;
    std::uint64_t segment_bytes_max = std::uint64_t{256} << 20U;
};

/// What a store has and takes.
struct RepoStat {
    std::uint64_t blocks = 0;
    std::uint64_t block_bytes = 0;
    std::uint64_t disk_bytes =
        0; ///< What counts against the quota: no free pages, no dead records.
};

/// Something that a collection must keep.
struct Root {
    Cid cid;
    enum class Reach : std::uint8_t {
        whole,  ///< All that it links to, which must be here.
        found,  ///< All that it links to, as far as it is here.
        single, ///< The block alone.
    };
    Reach reach = Reach::whole;
};

/// Hands each root to its argument, whose error ends it.
using VisitRoots = std::function<Result<void>(const std::function<Result<void>(const Root&)>&)>;

struct CollectOptions {
    UnixSeconds now{};  ///< Pins that are expired then are dropped.
    VisitRoots roots{}; ///< Besides the pins; may be empty.
    enum class Mode : std::uint8_t { remove, dry_run };
    Mode mode = Mode::remove;
    std::string scratch_folder{}; ///< For what does not fit into memory; empty: the store's.
    // What happens, on the calling thread; each may be empty.
    std::function<void(const Pin&)> on_expired{};                       ///< A pin was dropped.
    std::function<void(const Cid& cid, const Error& error)> on_error{}; ///< A root's block.
    std::function<Result<void>(const Cid&)> on_removed{}; ///< Its error ends the collection.
    std::function<void(std::uint64_t marked, std::uint64_t swept, std::uint64_t blocks)>
        on_progress{};
};

struct Collected {
    std::uint64_t blocks = 0;
    std::uint64_t bytes = 0;
    std::uint64_t kept = 0; ///< Blocks that stay.
};

/// A row of the store's index.
struct StoredBlock {
    std::string key; ///< The block's multihash.
    std::size_t size = 0;
    bool is_sound = true; ///< The row is, and a look-up finds it; says nothing of the block.
};

/// A block that is not what it should be.
struct Damage {
    std::string key; ///< Its multihash.
    Error error;
};

/// A segment that the tables do not name, and the whole blocks in it.
struct Orphan {
    std::uint64_t number = 0;
    std::string name; ///< Its file's, without the ending.
    std::uint64_t blocks = 0;
    std::uint64_t bytes = 0; ///< Of the blocks.
};

/// Blocks that are put wait until the batch is large or `sync` asks: small ones in memory, large
/// ones in a segment. This process sees them at once, other processes when they are committed,
/// which is also when they are durable. Calls of `sync` from several threads share commits.
///
/// `get` copies. Lending mapped bytes would keep a read transaction open for as long as a reader
/// likes, and a mapped segment that is cut or fails to be read would kill the reader; the copy
/// costs a sixth of the hashing that the first read of a block needs anyway.
///
/// Errors: storage_full (disk, quota or address space; with the remedy), refused, unavailable,
/// not_found, hash_mismatch (damage that is seen without hashing). After storage_full what waited
/// still waits: a later `sync` tries again.
/// Threads: as BlockStore. Processes: any number, but at most one EmbeddedStore for a folder in one
/// process, and none of it is carried over a fork (LMDB's rules).
class EmbeddedStore final : public BlockStore {
public:
    /// Brings a store of an older version to this one first. Errors: unsupported for a store of a
    /// newer version; malformed if the file is not a store.
    static Result<std::unique_ptr<EmbeddedStore>> open(EmbeddedOptions options);

    /// Commits what waits, as far as that works.
    ~EmbeddedStore() override;

    Result<LentBytes> get(const Cid& cid) override;
    Result<void> put(const Cid& cid, ByteView data) override;
    Result<bool> has(const Cid& cid) override;
    Result<void> sync() override;
    /// Commits what waits, so that it is counted; likewise `repo_stat`.
    Result<StoreStat> stat() override;
    Result<std::unique_ptr<WriteSession>> begin_session() override;

    /// As `put`, without a copy: `data` stays in the file `path` (absolute), from `offset` on, and
    /// is read and hashed there whenever it is asked for. A copy that is here stays instead, unless
    /// it is damaged.
    /// Errors: too_large, malformed (path); as `put`.
    Result<void>
    refer(const Cid& cid, ByteView data, const std::string& path, std::uint64_t offset);

    /// Lifetime: as this.
    Pins& pins();

    Result<RepoStat> repo_stat();

    /// Removes every block that no root leads to and that no write session counts on, and gives
    /// space back. Other processes may read, put and pin meanwhile. Nothing is removed if a root's
    /// blocks cannot be read or are not all here: on_error has said which.
    /// Memory: about 64 bytes a block that is kept, in a file above 64 MiB; 4 MiB of CIDs still to
    /// be visited, the rest in a file.
    /// Errors: unavailable (another collection runs; blocks of a root are missing).
    Result<Collected> collect(const CollectOptions& options);

    /// Shows each block in the order of multihashes, from `from` on. Errors: the visitor's;
    /// malformed if the tables lead in circles.
    using BlockVisitor = std::function<Result<void>(const StoredBlock&)>;
    Result<void> visit_blocks(const std::string& from, const BlockVisitor& visitor);

    /// Whether the block under this multihash is what it should be; nothing if it is, or is gone.
    Result<std::optional<Damage>> verify(const std::string& key);

    /// Removes a block, whatever pins or sessions say: for damaged ones.
    Result<void> drop(const std::string& key);

    /// Pins whose row is damaged: keys. Such a pin names nothing any more.
    Result<std::vector<std::string>> damaged_pins();
    Result<void> drop_pin(const std::string& key);

    /// Segments with whole blocks that no table names: of tables that were lost, or of a process
    /// that crashed before it committed. A collection removes them. Errors: the visitor's.
    Result<void> visit_orphans(const std::function<Result<void>(const Orphan&)>& visitor);
    /// Puts every whole block of it again, commits, and removes it. Errors: as `put` and `sync`.
    Result<void> take_in_orphan(std::uint64_t number);
    Result<void> drop_orphan(std::uint64_t number);

    /// Makes the tables' file as small as what is in it. The file's size before and after.
    /// Errors: unavailable if another process has the store open.
    Result<std::pair<std::uint64_t, std::uint64_t>> compact();

private:
    struct Impl;
    explicit EmbeddedStore(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace ic
