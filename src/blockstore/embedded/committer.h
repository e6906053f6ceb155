#pragma once
/// Committer: what waits to be committed, and who commits it. For this folder's sources.

#include "blockstore/embedded/block_table.h"
#include "blockstore/embedded/sessions.h"

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace ic::embedded {

/// Collects batches and commits them one after the other; who asks while one is being committed
/// waits for it and shares the next.
///
/// Blocks that are only protected may be gone when they are committed. Whoever commits cannot know
/// who counted on them, so it commits the rest and notes the loss with each session that protected
/// the block; that session alone hears of it, from `confirm`, until the block is here again.
/// Threads: any.
class Committer {
public:
    /// A write session, as this class knows it.
    using SessionNumber = std::uint64_t;

    Committer(BlockTable& table, Sessions& sessions) : table_(table), sessions_(sessions) {}

    SessionNumber begin_session();
    /// What it protected and lost is nobody's any more.
    void end_session(SessionNumber session);

    /// What waits under this key, with its bytes: the block, or where it is.
    std::optional<Waiting> find(const std::string& key);

    /// Whether it waits, with or without bytes, for a commit that has not begun: what it is stamped
    /// with comes after every session of now. One that is being committed may be stamped already.
    bool will_be_stamped(const std::string& key);

    /// Queues; commits first if the batch is full. Errors: as `sync`.
    Result<void> add(const std::string& key, Waiting block);

    /// Protects what waits for a commit that has not begun; false if nothing does.
    bool protect_waiting(const std::string& key, SessionNumber session);
    /// Queues a block of the table to be stamped anew. Errors: as `add`.
    Result<void> protect(const std::string& key, SessionNumber session);
    /// The session has no need of a new stamp for this block: it is here, and safe.
    void found_safe(const std::string& key, SessionNumber session);

    /// Commits what the session protected. What it gives is what was gone by then, or in an earlier
    /// commit, and was neither put nor protected again since. Errors: as `sync`.
    Result<std::vector<std::string>> confirm(SessionNumber session);

    /// What was added before is durable on return. Errors: as BlockTable::write. What could not be
    /// written waits on.
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
    Result<void> make_room(std::size_t memory_bytes, std::unique_lock<std::mutex>& lock);
    /// Counts on what is in the batch that takes new blocks.
    void count_on(const std::string& key, SessionNumber session);
    void note_lost(const Batch& committed, const std::vector<std::string>& gone);
    void wait_on(Batch failed);

    /// The session counts on this block again, or needs it no more.
    void forget_lost(const std::string& key, SessionNumber session);

    BlockTable& table_;
    Sessions& sessions_;
    std::mutex mutex_;
    /// Of each living session the last batch with something that it protects; 0: none.
    std::unordered_map<SessionNumber, std::uint64_t> protected_;
    /// Keys, and the living sessions that counted on each. Empty as a rule, so that a put costs the
    /// same however many sessions there are.
    std::map<std::string, std::set<SessionNumber>> lost_;
    SessionNumber next_session_ = 1;
    std::condition_variable committed_;
    Batch collecting_; ///< Takes new blocks; its number is `batch_`.
    Batch committing_; ///< Being written by the thread that set `is_committing_`.
    bool is_committing_ = false;
    std::uint64_t batch_ = 1;
    std::uint64_t durable_ = 0; ///< All batches up to this number are on the disk.
};

} // namespace ic::embedded
