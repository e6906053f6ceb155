#include "blockstore/pinning.h"

#include "blockstore/dag_walk.h"
#include "ipld/links.h"

#include <memory>
#include <utility>
#include <vector>

namespace ic {
namespace {

/// A collection that began before the session may take blocks under the walk; it ends.
constexpr int walks_max = 3;

/// Brings everything here under a session, which the caller holds until it is pinned.
class Keeper {
public:
    Keeper(BlockStore& blocks, WriteSession& session, const PinningOptions& options)
        : blocks_(blocks)
        , session_(session)
        , options_(options) {}

    Result<void> keep(const Pin& pin) {
        for (int walk = 1;; ++walk) {
            TRY(walk_over(pin));
            Result<void> kept = session_.confirm();
            if (kept || kept.error().code != Errc::not_found || walk == walks_max) {
                return kept;
            }
        }
    }

private:
    Result<void> walk_over(const Pin& pin) {
        count_ = 0;
        bytes_ = 0;
        if (pin.kind == PinKind::direct) {
            TRY(bring(pin.cid));
            return {};
        }
        DagWalk walk = TRY(DagWalk::make(0, options_.scratch_folder));
        return walk.visit(pin.cid, [&](const Cid& cid) { return bring(cid); });
    }

    /// The block's links, and the block here and kept.
    Result<std::vector<Cid>> bring(const Cid& cid) {
        const Result<void> here = session_.protect(cid);
        if (!here && here.error().code != Errc::not_found) {
            return here.error();
        }
        std::vector<Cid> links;
        if (!here || may_have_links(cid)) {
            const LentBytes block = TRY(fetch(blocks_, cid)); // Puts what it fetches.
            bytes_ += block.size();
            links = TRY(ipld::links_of(cid.codec(), block.view()));
        }
        if (!here) {
            TRY(is_kept(cid));
        }
        ++count_;
        if (options_.on_progress) {
            options_.on_progress(count_, bytes_);
        }
        return links;
    }

    /// A store whose quota is reached gives what it fetched, and does not keep it.
    Result<void> is_kept(const Cid& cid) {
        Result<void> kept = session_.protect(cid);
        if (!kept && kept.error().code == Errc::not_found) {
            return Error{Errc::storage_full,
                         "no room for block " + cid.to_string() +
                             "; remove what no pin names with 'ipfs-compute repo gc', or raise "
                             "store.bytes_max"};
        }
        return kept;
    }

    BlockStore& blocks_;
    WriteSession& session_;
    const PinningOptions& options_;
    std::uint64_t count_ = 0;
    std::uint64_t bytes_ = 0;
};

} // namespace

Result<void>
pin_whole(BlockStore& blocks, Pins& pins, const Pin& pin, const PinningOptions& options) {
    const std::unique_ptr<WriteSession> session = TRY(blocks.begin_session());
    TRY(Keeper(blocks, *session, options).keep(pin));
    return pins.add(pin);
}

Result<void> update_pin(
    BlockStore& blocks, Pins& pins, const Cid& from, const Cid& to, const PinningOptions& options) {
    std::optional<Pin> old = TRY(pins.find(from));
    if (!old || old->kind != PinKind::recursive) {
        return Error{Errc::not_found, "'from' cid was not recursively pinned already"};
    }
    if (from == to) {
        return {};
    }
    if (const std::optional<Pin> there = TRY(pins.find(to));
        there && there->kind == PinKind::recursive) {
        return Error{Errc::refused, "'to' cid was already recursively pinned"};
    }
    Pin pin = std::move(*old);
    pin.cid = to;
    const std::unique_ptr<WriteSession> session = TRY(blocks.begin_session());
    TRY(Keeper(blocks, *session, options).keep(pin));
    return pins.replace(from, pin);
}

Result<void> visit_indirect(BlockSource& blocks,
                            Pins& pins,
                            const std::string& scratch_folder,
                            const IndirectVisitor& visitor) {
    DagWalk walk = TRY(DagWalk::make(0, scratch_folder));
    return pins.visit([&](const Pin& pin) -> Result<void> {
        if (pin.kind != PinKind::recursive) {
            return {};
        }
        return walk.visit(pin.cid, [&](const Cid& cid) -> Result<std::vector<Cid>> {
            if (cid != pin.cid) {
                TRY(visitor(cid, pin.cid));
            }
            if (!may_have_links(cid)) {
                return std::vector<Cid>{};
            }
            return ipld::links_of(cid.codec(), TRY(fetch(blocks, cid)).view());
        });
    });
}

} // namespace ic
