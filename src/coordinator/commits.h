#pragma once
/// Commits: what the lease machine wants durable, on its way to the ledger and back.

#include "base/result.h"
#include "lease/records.h"
#include "ledger/ledger.h"
#include "net/event_loop.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

namespace ic::coordinator {

/// Writes the tokens in the order in which they are asked for: one submission is under way at a
/// time, and what comes meanwhile goes into the next one together. What failed is tried again
/// before anything later, so that no record overtakes one that it follows from: a grant its
/// acceptance, an end its grant.
/// A submission that the ledger refuses for its records is tried again in halves, until the token
/// that is at fault stands alone: those before it are not held up by it. Those after it wait until
/// it is written, or nothing is left of it.
/// More than `ledger::limits::queued_records_max` records may wait, since nothing that the machine
/// asked for can be dropped; `failure` then says so until fewer do.
/// What waits when this goes is not written.
/// Threads: the loop's. The references outlive this.
class Commits {
public:
    /// Everything up to and including this token is on the disk.
    using OnDurable = std::function<void(lease::JournalToken)>;
    /// Takes out of a refused commit what another process has accepted first. Whether it did.
    using GiveAway = std::function<bool(std::vector<ledger::Record>&)>;

    Commits(net::EventLoop& loop,
            ledger::LedgerWriter& writer,
            OnDurable on_durable,
            GiveAway give_away);
    ~Commits();
    Commits(const Commits&) = delete;
    Commits& operator=(const Commits&) = delete;

    /// Requires: the token is above all before.
    void write(lease::JournalToken token, std::vector<ledger::Record> records);

    /// Why the last try failed, while it is being tried again, or that too much waits: then no new
    /// job is to be taken.
    const std::optional<Error>& failure() const { return failure_; }

private:
    struct Commit {
        lease::JournalToken token = 0;
        std::vector<ledger::Record> records;
    };

    void begin();
    void submit();
    void submit_later();
    void written(const Result<void>& result);
    void failed(const Error& error);
    bool give_away_first();
    void confirm();
    void look_at_load();

    net::EventLoop& loop_;
    ledger::LedgerWriter& writer_;
    OnDurable on_durable_;
    GiveAway give_away_;
    std::deque<Commit> commits_; ///< Not yet confirmed, in the machine's order.
    std::size_t records_ = 0;    ///< Of all of them.
    /// So many of the first are with the writer, or wait to be tried again.
    std::size_t under_way_ = 0;
    /// So many go together at most: fewer from a refusal until `apart_through_` is confirmed.
    std::size_t together_max_ = std::numeric_limits<std::size_t>::max();
    lease::JournalToken apart_through_ = 0;
    std::optional<Error> failure_;
    // The writer's thread may come back after this is gone: it looks at this word, on the loop.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace ic::coordinator
