#include "blockstore/embedded/embedded_store.h"

#include "blockstore/embedded/database.h"
#include "blockstore/identity.h"

#include <algorithm>
#include <utility>

namespace ic {
namespace {

std::string key_of(const Cid& cid) { return std::string(text_of(cid.multihash())); }

} // namespace

void EmbeddedStore::Batch::add(std::string key, LentBytes data) {
    LentBytes& entry = blocks[std::move(key)];
    bytes = bytes - entry.size() + data.size();
    entry = std::move(data);
}

EmbeddedStore::EmbeddedStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}

Result<std::unique_ptr<EmbeddedStore>> EmbeddedStore::open(EmbeddedOptions options) {
    std::unique_ptr<Database> database = TRY(Database::open(std::move(options)));
    return std::unique_ptr<EmbeddedStore>(new EmbeddedStore(std::move(database)));
}

EmbeddedStore::~EmbeddedStore() {
    const Result<void> last_try = sync(); // Who must know has called sync and looked.
    static_cast<void>(last_try);
}

const LentBytes* EmbeddedStore::waiting(const std::string& key) const {
    for (const Batch* batch : {&collecting_, &committing_}) {
        if (const auto found = batch->blocks.find(key); found != batch->blocks.end()) {
            return &found->second;
        }
    }
    return nullptr;
}

Result<LentBytes> EmbeddedStore::get(const Cid& cid) {
    if (is_identity(cid)) {
        return content_of(cid);
    }
    const std::string key = key_of(cid);
    {
        const std::lock_guard lock(mutex_);
        if (const LentBytes* block = waiting(key)) {
            return *block;
        }
    }
    std::optional<LentBytes> block = TRY(database_->get(key));
    if (!block) {
        return Error{Errc::not_found, "block " + cid.to_string() + " is not in this store"};
    }
    return std::move(*block);
}

Result<bool> EmbeddedStore::has(const Cid& cid) {
    if (is_identity(cid)) {
        return true;
    }
    const std::string key = key_of(cid);
    {
        const std::lock_guard lock(mutex_);
        if (waiting(key) != nullptr) {
            return true;
        }
    }
    return database_->has(key);
}

Result<void> EmbeddedStore::put(const Cid& cid, ByteView data) {
    if (data.size() > limits::block_bytes_max) {
        return Error{Errc::too_large,
                     "block " + cid.to_string() + " has " + std::to_string(data.size()) +
                         " bytes; a block has at most " + std::to_string(limits::block_bytes_max)};
    }
    if (is_identity(cid)) {
        return {};
    }
    std::string key = key_of(cid);
    std::unique_lock lock(mutex_);
    if (const LentBytes* block = waiting(key)) {
        if (std::ranges::equal(block->view(), data)) {
            return {};
        }
    } else {
        lock.unlock();
        if (TRY(database_->holds(key, data))) {
            return {};
        }
        lock.lock();
    }
    while (collecting_.bytes + data.size() > limits::store_batch_bytes_max ||
           collecting_.blocks.size() >= limits::store_batch_blocks_max) {
        TRY(commit_everything_before(batch_ + 1, lock));
    }
    collecting_.add(std::move(key), LentBytes::of(copy_of(data)));
    return {};
}

Result<void> EmbeddedStore::sync() {
    std::unique_lock lock(mutex_);
    return commit_everything_before(batch_ + 1, lock);
}

Result<void> EmbeddedStore::commit_everything_before(std::uint64_t batch,
                                                     std::unique_lock<std::mutex>& lock) {
    while (durable_ + 1 < batch) {
        if (is_committing_) { // Another thread's commit; the next may be ours, or done for us.
            committed_.wait(lock);
            continue;
        }
        if (collecting_.blocks.empty()) {
            return {}; // Every earlier batch is durable, since none is being committed.
        }
        is_committing_ = true;
        committing_ = std::exchange(collecting_, {});
        const std::uint64_t number = batch_++;
        lock.unlock();
        Result<void> written = database_->write(committing_);
        lock.lock();
        is_committing_ = false;
        if (written) {
            durable_ = number;
            committing_ = {};
        } else { // What waits goes on waiting, under the newer of two versions of a block.
            for (auto& [key, data] : std::exchange(committing_, {}).blocks) {
                if (!collecting_.blocks.contains(key)) {
                    collecting_.add(key, std::move(data));
                }
            }
        }
        committed_.notify_all();
        if (!written) {
            return written;
        }
    }
    return {};
}

Result<StoreStat> EmbeddedStore::stat() {
    TRY(sync());
    return database_->stat();
}

} // namespace ic
