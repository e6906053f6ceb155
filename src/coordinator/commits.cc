#include "coordinator/commits.h"

#include <chrono>
#include <utility>

namespace ic::coordinator {
namespace {

/// Ours: before a commit that failed (disk full, ledger busy) is tried again.
constexpr std::chrono::milliseconds retry_after{500};

} // namespace

Commits::Commits(net::EventLoop& loop,
                 ledger::LedgerWriter& writer,
                 OnDurable on_durable,
                 GiveAway give_away)
    : loop_(loop)
    , writer_(writer)
    , on_durable_(std::move(on_durable))
    , give_away_(std::move(give_away)) {}

Commits::~Commits() { *alive_ = false; }

void Commits::write(lease::JournalToken token, std::vector<ledger::Record> records) {
    commits_[token].records = std::move(records);
    submit(token);
}

void Commits::submit(lease::JournalToken token) {
    writer_.submit(commits_.at(token).records, [this, token, is_alive = alive_](Result<void> done) {
        loop_.post([this, token, is_alive, done = std::move(done)] {
            if (*is_alive) {
                written(token, done);
            }
        });
    });
}

void Commits::written(lease::JournalToken token, const Result<void>& result) {
    if (result) {
        failure_.reset();
        confirm(token);
        return;
    }
    std::vector<ledger::Record>& records = commits_.at(token).records;
    if (result.error().code == Errc::refused && give_away_(records)) {
        if (records.empty()) {
            confirm(token);
        } else {
            submit(token);
        }
        return;
    }
    failure_ = result.error();
    loop_.after(retry_after, [this, token, is_alive = alive_] {
        if (*is_alive) {
            submit(token);
        }
    });
}

void Commits::confirm(lease::JournalToken token) {
    commits_.at(token).is_durable = true;
    lease::JournalToken last = 0;
    while (!commits_.empty() && commits_.begin()->second.is_durable) {
        last = commits_.begin()->first;
        commits_.erase(commits_.begin());
    }
    if (last != 0) {
        on_durable_(last);
    }
}

} // namespace ic::coordinator
