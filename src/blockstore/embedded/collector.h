#pragma once
/// Collector: one garbage collection. For this folder's sources.

#include "blockstore/dag_walk.h"
#include "blockstore/embedded/block_table.h"
#include "blockstore/embedded/embedded_store.h"
#include "blockstore/embedded/environment.h"
#include "blockstore/embedded/inspection.h"
#include "blockstore/embedded/pin_table.h"
#include "blockstore/embedded/reclaim.h"
#include "blockstore/embedded/sessions.h"

#include <optional>
#include <string>
#include <vector>

namespace ic::embedded {

namespace limits {
/// Ours: blocks removed in one transaction, so that nobody who puts waits long.
inline constexpr std::size_t removed_per_commit_max = 1024;
} // namespace limits

struct CollectorParts {
    Environment& environment;
    SegmentFiles& segments;
    Sessions& sessions;
    BlockTable& table;
    PinTable& pins;
    Inspection& inspection;
};

/// Marks what the roots lead to, then sweeps. In this order, so that nothing which others do
/// meanwhile is lost:
///
/// 1. Its stamp is committed: what is committed from now on is stamped later.
/// 2. The write sessions are read: nothing stamped after the earliest of them is taken. One that
///    begins after 1 counts on later stamps only (sessions.h).
/// 3. The roots are read: a session that had ended at 2 had made its root before.
/// 4. Each removal looks at the stamp again, in its own transaction.
class Collector {
public:
    Collector(const CollectorParts& parts, const CollectOptions& options)
        : parts_(parts)
        , options_(options) {}

    Result<Collected> run();

private:
    using Reach = Root::Reach;

    Result<void> lock();
    Result<void> begin();
    int drop_expired(MDB_txn* transaction, std::vector<Pin>& expired) const;
    Result<void> mark_all();
    Result<void> mark_pins(PinKind kind);
    Result<void> mark_roots(Reach reach);
    Result<void> mark_below(const Root& root);
    Result<std::vector<Cid>> links_below(const Cid& cid, Reach reach);
    Result<std::vector<Cid>> links_of(const Cid& cid);
    Result<void> sweep();
    Result<void> remove(std::vector<Row>& candidates);
    Result<void> count_removed(const std::vector<Row>& removed);
    void progress();

    CollectorParts parts_;
    const CollectOptions& options_;
    UniqueFd lock_;
    std::string scratch_;
    Stamp before_ = 0; ///< Only what is stamped before is taken.
    std::optional<DagWalk> walk_;
    std::uint64_t blocks_ = 0;
    std::uint64_t swept_ = 0;
    std::uint64_t problems_ = 0;
    Collected collected_;
    LivingSegments living_;
};

} // namespace ic::embedded
