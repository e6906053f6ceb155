#include "blockstore/verifying_store.h"

#include "blockstore/identity.h"

#include <algorithm>
#include <cstring>

namespace ic {

VerifyingStore::Mark VerifyingStore::mark_of(const Cid& cid) {
    Mark mark{.function = static_cast<std::uint8_t>(cid.hash())};
    const ByteView digest = cid.digest();
    std::ranges::copy(digest.first(std::min(digest.size(), mark.digest.size())),
                      mark.digest.begin());
    return mark;
}

std::size_t VerifyingStore::slot_of(const Mark& mark) {
    std::uint64_t front = 0;
    std::memcpy(&front, mark.digest.data(), sizeof front);
    return front % limits::verified_blocks_max;
}

bool VerifyingStore::is_verified(const Mark& mark) {
    const std::lock_guard lock(mutex_);
    return !verified_.empty() && verified_[slot_of(mark)] == mark;
}

void VerifyingStore::remember(const Mark& mark) {
    const std::lock_guard lock(mutex_);
    verified_.resize(limits::verified_blocks_max);
    verified_[slot_of(mark)] = mark;
}

Result<LentBytes> VerifyingStore::get(const Cid& cid) {
    LentBytes data = TRY(inner_.get(cid));
    if (is_identity(cid)) {
        return data;
    }
    const Mark mark = mark_of(cid);
    if (is_verified(mark)) {
        return data;
    }
    if (Result<void> verified = cid.verify(data.view()); !verified) {
        return std::move(verified).take_error().during("reading block " + cid.to_string());
    }
    remember(mark);
    return data;
}

Result<void> VerifyingStore::put(const Cid& cid, ByteView data) { return inner_.put(cid, data); }

Result<bool> VerifyingStore::has(const Cid& cid) { return inner_.has(cid); }

Result<void> VerifyingStore::sync() { return inner_.sync(); }

Result<StoreStat> VerifyingStore::stat() { return inner_.stat(); }

Result<std::unique_ptr<WriteSession>> VerifyingStore::begin_session() {
    return inner_.begin_session();
}

} // namespace ic
