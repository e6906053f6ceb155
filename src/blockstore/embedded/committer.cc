#include "blockstore/embedded/committer.h"

#include "blockstore/embedded/embedded_store.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ic::embedded {

const Waiting* Committer::find_locked(const std::string& key) const {
    for (const Batch* batch : {&collecting_, &committing_}) {
        const auto found = batch->blocks.find(key);
        if (found != batch->blocks.end() && found->second.has_bytes()) {
            return &found->second;
        }
    }
    return nullptr;
}

std::optional<Waiting> Committer::find(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const Waiting* block = find_locked(key);
    return block == nullptr ? std::nullopt : std::optional(*block);
}

bool Committer::will_be_stamped(const std::string& key) {
    const std::lock_guard lock(mutex_);
    return collecting_.blocks.contains(key);
}

Committer::SessionNumber Committer::begin_session() {
    const std::lock_guard lock(mutex_);
    protected_.try_emplace(next_session_);
    return next_session_++;
}

void Committer::end_session(SessionNumber session) {
    const std::lock_guard lock(mutex_);
    protected_.erase(session);
    for (auto lost = lost_.begin(); lost != lost_.end();) {
        lost->second.erase(session);
        lost = lost->second.empty() ? lost_.erase(lost) : std::next(lost);
    }
}

Result<void> Committer::make_room(std::size_t memory_bytes, std::unique_lock<std::mutex>& lock) {
    while (collecting_.bytes + memory_bytes > ic::limits::store_batch_bytes_max ||
           collecting_.blocks.size() >= ic::limits::store_batch_blocks_max ||
           collecting_.appended_bytes >= ic::limits::store_batch_appended_max) {
        TRY(commit_everything_before(batch_ + 1, lock));
    }
    return {};
}

Result<void> Committer::add(const std::string& key, Waiting block) {
    std::unique_lock lock(mutex_);
    TRY(make_room(block.memory_bytes(), lock));
    collecting_.add(key, std::move(block));
    lost_.erase(key);
    return {};
}

bool Committer::protect_waiting(const std::string& key, SessionNumber session) {
    const std::lock_guard lock(mutex_);
    if (!collecting_.blocks.contains(key)) {
        return false;
    }
    count_on(key, session);
    return true;
}

Result<void> Committer::protect(const std::string& key, SessionNumber session) {
    std::unique_lock lock(mutex_);
    TRY(make_room(0, lock));
    if (!collecting_.blocks.contains(key)) {
        collecting_.add(key, {.kind = Waiting::Kind::protect});
    }
    count_on(key, session);
    return {};
}

void Committer::count_on(const std::string& key, SessionNumber session) {
    Waiting& block = collecting_.blocks.at(key);
    if (!block.has_bytes() && std::ranges::find(block.sessions, session) == block.sessions.end()) {
        block.sessions.push_back(session);
    }
    protected_.at(session) = batch_;
    forget_lost(key, session);
}

void Committer::forget_lost(const std::string& key, SessionNumber session) {
    const auto lost = lost_.find(key);
    if (lost != lost_.end() && lost->second.erase(session) > 0 && lost->second.empty()) {
        lost_.erase(lost);
    }
}

void Committer::found_safe(const std::string& key, SessionNumber session) {
    const std::lock_guard lock(mutex_);
    forget_lost(key, session);
}

Result<std::vector<std::string>> Committer::confirm(SessionNumber session) {
    std::unique_lock lock(mutex_);
    TRY(commit_everything_before(protected_.at(session) + 1, lock));
    std::vector<std::string> keys;
    for (const auto& [key, sessions] : lost_) {
        if (sessions.contains(session)) {
            keys.push_back(key);
        }
    }
    return keys;
}

Result<void> Committer::sync() {
    std::unique_lock lock(mutex_);
    return commit_everything_before(batch_ + 1, lock);
}

Result<void> Committer::commit_everything_before(std::uint64_t batch,
                                                 std::unique_lock<std::mutex>& lock) {
    while (durable_ + 1 < batch) {
        if (is_committing_) { // Another thread's commit; the next may be ours, or done for us.
            committed_.wait(lock);
            continue;
        }
        if (collecting_.empty()) {
            return {}; // Every earlier batch is durable, since none is being committed.
        }
        TRY(commit(nullptr, lock));
    }
    return {};
}

Result<void> Committer::commit(PinChange* change, std::unique_lock<std::mutex>& lock) {
    is_committing_ = true;
    committing_ = std::exchange(collecting_, {});
    const std::uint64_t number = batch_++;
    std::vector<std::string> gone;
    lock.unlock();
    Result<void> written = table_.write(committing_, sessions_.safe_from(), change, gone);
    lock.lock();
    is_committing_ = false;
    Batch done = std::exchange(committing_, {});
    if (written) {
        durable_ = number;
        note_lost(done, gone);
    } else {
        wait_on(std::move(done));
    }
    committed_.notify_all();
    return written;
}

/// Not what waits with its bytes by now: it is here as soon as it is committed.
void Committer::note_lost(const Batch& committed, const std::vector<std::string>& gone) {
    for (const std::string& key : gone) {
        if (find_locked(key) != nullptr) {
            continue;
        }
        for (const SessionNumber session : committed.blocks.at(key).sessions) {
            if (protected_.contains(session)) {
                lost_[key].insert(session);
            }
        }
    }
}

/// What waits goes on waiting, under the newer of two versions of a block.
void Committer::wait_on(Batch failed) {
    for (auto& [key, block] : failed.blocks) {
        const auto newer = collecting_.blocks.find(key);
        if (newer == collecting_.blocks.end() || !newer->second.has_bytes()) {
            if (newer != collecting_.blocks.end()) {
                std::ranges::copy(newer->second.sessions, std::back_inserter(block.sessions));
            }
            collecting_.add(key, std::move(block));
        } else if (block.appended) {
            collecting_.wasted.push_back(std::move(*block.appended));
        }
    }
    std::ranges::move(failed.wasted, std::back_inserter(collecting_.wasted));
}

Result<void> Committer::change_pins(PinChange change) {
    std::unique_lock lock(mutex_);
    while (is_committing_) {
        committed_.wait(lock);
    }
    TRY(commit(&change, lock));
    if (change.refusal) {
        return std::move(*change.refusal);
    }
    return {};
}

std::uint64_t Committer::appended_bytes() {
    const std::lock_guard lock(mutex_);
    return collecting_.appended_bytes + committing_.appended_bytes;
}

} // namespace ic::embedded
