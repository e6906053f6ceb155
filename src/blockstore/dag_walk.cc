#include "blockstore/dag_walk.h"

#include "base/file.h"

#include <unistd.h>

#include <cassert>
#include <cerrno>

namespace ic {

Result<void> CidStack::push(const Cid& cid) {
    if (cids_.size() >= limits::visits_in_memory_max) {
        TRY(spill());
    }
    cids_.push_back(cid);
    return {};
}

Result<Cid> CidStack::pop() {
    if (cids_.empty()) {
        TRY(load());
    }
    assert(!cids_.empty());
    Cid cid = cids_.back();
    cids_.pop_back();
    return cid;
}

/// Writes the older half out, each with a byte for its length before it.
Result<void> CidStack::spill() {
    if (!file_) {
        file_ = TRY(MarkSet::nameless_file(folder_));
    }
    const auto half = cids_.begin() + static_cast<std::ptrdiff_t>(cids_.size() / 2);
    Bytes piece;
    for (auto cid = cids_.begin(); cid != half; ++cid) {
        const ByteView bytes = cid->bytes();
        piece.push_back(static_cast<std::uint8_t>(bytes.size()));
        piece.insert(piece.end(), bytes.begin(), bytes.end());
    }
    for (std::size_t written = 0; written < piece.size();) {
        const ssize_t count = ::pwrite(file_.get(),
                                       piece.data() + written,
                                       piece.size() - written,
                                       static_cast<off_t>(end_ + written));
        if (count <= 0) {
            return system_error("cannot write what is to be visited in", folder_, errno);
        }
        written += static_cast<std::size_t>(count);
    }
    spilled_.push_back(end_);
    end_ += piece.size();
    cids_.erase(cids_.begin(), half);
    return {};
}

/// Reads the piece that was written last.
Result<void> CidStack::load() {
    Bytes piece(end_ - spilled_.back());
    for (std::size_t filled = 0; filled < piece.size();) {
        const ssize_t count = ::pread(file_.get(),
                                      piece.data() + filled,
                                      piece.size() - filled,
                                      static_cast<off_t>(spilled_.back() + filled));
        if (count <= 0) {
            return system_error("cannot read what is to be visited in", folder_, errno);
        }
        filled += static_cast<std::size_t>(count);
    }
    end_ = spilled_.back();
    spilled_.pop_back();
    for (ByteView rest{piece}; !rest.empty();) {
        const std::size_t bytes = rest[0];
        cids_.push_back(TRY(Cid::from_bytes(rest.subspan(1, bytes))));
        rest = rest.subspan(1 + bytes);
    }
    return {};
}

Result<DagWalk> DagWalk::make(std::uint64_t expected_blocks, const std::string& folder) {
    return DagWalk(TRY(MarkSet::make(expected_blocks, folder)), folder);
}

Result<void> DagWalk::note(const Cid& cid) {
    TRY(marks_.insert(cid.multihash()));
    return {};
}

Result<void> DagWalk::visit(const Cid& root, const Visitor& visitor) {
    TRY(stack_.push(root));
    while (!stack_.empty()) {
        const Cid cid = TRY(stack_.pop());
        bool is_new = TRY(marks_.insert(cid.multihash()));
        if (may_have_links(cid)) { // Once for this codec, under the whole CID.
            is_new = TRY(marks_.insert(cid.as_v1().bytes()));
        }
        if (!is_new) {
            continue;
        }
        const std::vector<Cid> links = TRY(visitor(cid));
        for (auto link = links.rbegin(); link != links.rend(); ++link) {
            TRY(stack_.push(*link));
        }
    }
    return {};
}

} // namespace ic
