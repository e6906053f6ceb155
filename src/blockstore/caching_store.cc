#include "blockstore/caching_store.h"

#include <utility>

namespace ic {

Result<LentBytes> CachingStore::get(const Cid& cid) {
    Result<LentBytes> here = local_.get(cid);
    if (here ||
        (here.error().code != Errc::not_found && here.error().code != Errc::hash_mismatch)) {
        return here;
    }
    LentBytes data = TRY(remote_.get(cid));
    if (Result<void> verified = cid.verify(data.view()); !verified) {
        return std::move(verified).take_error().during("fetching block " + cid.to_string());
    }
    const Result<void> kept = local_.put(cid, data.view());
    if (!kept && kept.error().code != Errc::storage_full) {
        return kept.error();
    }
    return data;
}

Result<void> CachingStore::put(const Cid& cid, ByteView data) { return local_.put(cid, data); }

Result<bool> CachingStore::has(const Cid& cid) { return local_.has(cid); }

Result<void> CachingStore::sync() { return local_.sync(); }

Result<StoreStat> CachingStore::stat() { return local_.stat(); }

std::size_t CachingStore::foresight_blocks() const { return remote_.foresight_blocks(); }

void CachingStore::expect(const Cid& file, std::span<const UpcomingBlock> soon) {
    remote_.expect(file, soon);
}

void CachingStore::plan(const ReadPlan& plan) { remote_.plan(plan); }

Result<std::unique_ptr<WriteSession>> CachingStore::begin_session() {
    return local_.begin_session();
}

} // namespace ic
