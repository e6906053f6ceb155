#pragma once
/// DagWalk: every block below some roots, each once.

#include "base/result.h"
#include "base/unique_fd.h"
#include "blockstore/mark_set.h"
#include "multiformats/cid.h"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace ic {

namespace limits {
/// Ours: CIDs still to be visited that stay in memory, about 56 bytes each; more are in a file.
inline constexpr std::size_t visits_in_memory_max = std::size_t{1} << 16U;
} // namespace limits

/// Whether blocks of this codec can have links at all.
inline bool may_have_links(const Cid& cid) {
    return cid.codec() != Codec::raw && cid.codec() != Codec::libp2p_key;
}

/// Last in, first out. Threads: one.
class CidStack {
public:
    explicit CidStack(std::string folder) : folder_(std::move(folder)) {}

    /// Errors: storage_full, unavailable.
    Result<void> push(const Cid& cid);
    /// Requires: not empty.
    Result<Cid> pop();

    bool empty() const { return cids_.empty() && spilled_.empty(); }

private:
    Result<void> spill();
    Result<void> load();

    std::string folder_;
    std::vector<Cid> cids_;
    UniqueFd file_;
    std::vector<std::uint64_t> spilled_; ///< Where in the file each piece begins.
    std::uint64_t end_ = 0;
};

/// Visits depth first, links in their order. A block that is linked again, also from another root
/// of the same walk, is not visited again; one that is named with several codecs is visited with
/// each, since only one of them shows its links.
///
/// Memory: MarkSet's, 32 to 128 bytes a block, in a file above 64 MiB; and the CIDs still to be
/// visited, at most `limits::visits_in_memory_max`, the rest in a file. Threads: one.
class DagWalk {
public:
    /// Gives the links to follow; its error ends the walk.
    using Visitor = std::function<Result<std::vector<Cid>>(const Cid&)>;

    /// `folder` takes the files, which have no names. Errors: storage_full, unavailable.
    static Result<DagWalk> make(std::uint64_t expected_blocks, const std::string& folder);

    /// Visits what is below `root` and was not visited before, `root` too.
    Result<void> visit(const Cid& root, const Visitor& visitor);

    /// Notes the block without visiting it: from here on it is not visited with a codec that has no
    /// links.
    Result<void> note(const Cid& cid);

    /// Whether a block with this multihash was visited or noted.
    bool has(ByteView multihash) const { return marks_.contains(multihash); }

    std::uint64_t blocks() const { return marks_.size(); }

private:
    DagWalk(MarkSet marks, std::string folder)
        : marks_(std::move(marks))
        , stack_(std::move(folder)) {}

    MarkSet marks_;
    CidStack stack_;
};

} // namespace ic
