#include "blockstore/memory_store.h"

#include "blockstore/identity.h"

#include <string>

namespace ic {
namespace {

std::string key_of(const Cid& cid) { return std::string(text_of(cid.multihash())); }

/// Nothing is ever collected from memory.
class MemorySession final : public WriteSession {
public:
    explicit MemorySession(BlockStore& store) : store_(store) {}

    Result<void> protect(const Cid& cid) override {
        if (!TRY(store_.has(cid))) {
            return Error{Errc::not_found, "block " + cid.to_string() + " is not in this store"};
        }
        return {};
    }

    Result<void> confirm() override { return {}; }

private:
    BlockStore& store_;
};

} // namespace

Result<LentBytes> MemoryStore::get(const Cid& cid) {
    if (is_identity(cid)) {
        return content_of(cid);
    }
    const std::lock_guard lock(mutex_);
    const auto found = blocks_.find(key_of(cid));
    if (found == blocks_.end()) {
        return Error{Errc::not_found, "block " + cid.to_string() + " is not in this store"};
    }
    return found->second;
}

Result<void> MemoryStore::put(const Cid& cid, ByteView data) {
    if (data.size() > limits::block_bytes_max) {
        return Error{Errc::too_large,
                     "block " + cid.to_string() + " has " + std::to_string(data.size()) +
                         " bytes; a block has at most " + std::to_string(limits::block_bytes_max)};
    }
    if (is_identity(cid)) {
        return {};
    }
    LentBytes copy = LentBytes::of(copy_of(data));
    const std::lock_guard lock(mutex_);
    const auto [entry, is_new] = blocks_.try_emplace(key_of(cid));
    bytes_ = bytes_ - entry->second.size() + data.size();
    entry->second = std::move(copy);
    return {};
}

Result<bool> MemoryStore::has(const Cid& cid) {
    const std::lock_guard lock(mutex_);
    return is_identity(cid) || blocks_.contains(key_of(cid));
}

Result<void> MemoryStore::sync() { return {}; }

Result<StoreStat> MemoryStore::stat() {
    const std::lock_guard lock(mutex_);
    return StoreStat{.blocks = blocks_.size(), .bytes = bytes_};
}

Result<std::unique_ptr<WriteSession>> MemoryStore::begin_session() {
    return std::unique_ptr<WriteSession>(std::make_unique<MemorySession>(*this));
}

} // namespace ic
