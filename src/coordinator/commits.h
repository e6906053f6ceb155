#pragma once
/// Commits: what the lease machine wants durable, on its way to the ledger and back.

#include "base/result.h"
#include "lease/records.h"
#include "ledger/ledger.h"
#include "net/event_loop.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ic::coordinator {

/// Tries a commit that failed again and again, and says that a token is durable only when all
/// before it are: the machine takes it for all of them.
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

    void write(lease::JournalToken token, std::vector<ledger::Record> records);

    /// Why the last try failed, while it is being tried again: then no new job is to be taken.
    const std::optional<Error>& failure() const { return failure_; }

private:
    struct Commit {
        std::vector<ledger::Record> records;
        bool is_durable = false;
    };

    void submit(lease::JournalToken token);
    void written(lease::JournalToken token, const Result<void>& result);
    void confirm(lease::JournalToken token);

    net::EventLoop& loop_;
    ledger::LedgerWriter& writer_;
    OnDurable on_durable_;
    GiveAway give_away_;
    std::map<lease::JournalToken, Commit> commits_; ///< Not yet confirmed, in the machine's order.
    std::optional<Error> failure_;
    // The writer's thread may come back after this is gone: it looks at this word, on the loop.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace ic::coordinator
