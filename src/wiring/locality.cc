#include "wiring/locality.h"

#include "ipld/dag_pb.h"

#include <algorithm>
#include <deque>
#include <limits>

namespace ic::wiring {
namespace {

/// A sum that a peer's claims cannot make wrap.
std::uint64_t plus(std::uint64_t left, std::uint64_t right) {
    return left > std::numeric_limits<std::uint64_t>::max() - right
               ? std::numeric_limits<std::uint64_t>::max()
               : left + right;
}

class Looker {
public:
    explicit Looker(BlockStore& store) : store_(store) {}

    void add_root(const Cid& root) {
        if (root.hash() == HashCode::identity || !may_look() || !has(root)) {
            return;
        }
        const std::uint64_t own = open(root);
        needed_ = plus(needed_, own);
        seen_ = plus(seen_, own);
        local_ = plus(local_, own);
    }

    lease::Locality finish() {
        while (!waiting_.empty() && may_look()) {
            const Part part = waiting_.front();
            waiting_.pop_front();
            look_at(part);
        }
        std::uint64_t rest = 0;
        for (const Part& part : waiting_) {
            rest = plus(rest, part.bytes);
        }
        const double share =
            seen_ == 0 ? 0.0 : static_cast<double>(local_) / static_cast<double>(seen_);
        const auto guessed = static_cast<std::uint64_t>(
            static_cast<double>(std::min(rest, std::uint64_t{1} << 62U)) * share);
        return {.bytes_needed = needed_, .bytes_local = std::min(plus(local_, guessed), needed_)};
    }

private:
    struct Part {
        Cid cid;
        std::uint64_t bytes = 0; ///< Of it and all below it, as its parent claims.
    };

    bool may_look() const { return looked_ < limits::locality_look_ups_max; }

    bool has(const Cid& cid) {
        ++looked_;
        const Result<bool> has = store_.has(cid);
        return has && *has;
    }

    /// The bytes of the block itself, 0 if it is not read; what it links to waits from then on.
    std::uint64_t open(const Cid& cid) {
        if (read_ == limits::locality_blocks_read_max) {
            return 0;
        }
        ++read_;
        const Result<LentBytes> block = store_.get(cid);
        if (!block) {
            return 0;
        }
        if (cid.codec() == Codec::dag_pb) {
            if (const Result<dag_pb::Decoded> node = dag_pb::decode(block->view())) {
                for (const dag_pb::Link& link : node->node.links) {
                    waiting_.push_back({link.cid, link.tsize});
                    needed_ = plus(needed_, link.tsize);
                }
            }
        }
        return block->size();
    }

    void look_at(const Part& part) {
        if (!has(part.cid)) {
            seen_ = plus(seen_, part.bytes);
            return;
        }
        const std::uint64_t needed_before = needed_;
        const bool is_node = part.cid.codec() == Codec::dag_pb;
        const std::uint64_t own = is_node ? std::min(open(part.cid), part.bytes) : part.bytes;
        needed_ = needed_before; // Its parent's claim has counted all below it.
        seen_ = plus(seen_, own);
        local_ = plus(local_, own);
    }

    BlockStore& store_;
    std::deque<Part> waiting_;
    std::size_t looked_ = 0;
    std::size_t read_ = 0;
    std::uint64_t needed_ = 0;
    std::uint64_t seen_ = 0;  ///< Of them, those looked at.
    std::uint64_t local_ = 0; ///< Of these, those here.
};

} // namespace

lease::Locality locality_of(const job::JobSpec& spec, BlockStore& store) {
    Looker looker(store);
    looker.add_root(spec.module);
    if (spec.event) {
        looker.add_root(*spec.event);
    }
    for (const auto* const named : {&spec.imports, &spec.inputs}) {
        for (const auto& [name, cid] : *named) {
            looker.add_root(cid);
        }
    }
    return looker.finish();
}

} // namespace ic::wiring
