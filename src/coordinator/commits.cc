#include "coordinator/commits.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <set>
#include <utility>

namespace ic::coordinator {
namespace {

/// Ours: before a commit that failed (disk full, ledger busy) is tried again.
constexpr std::chrono::milliseconds retry_after{500};

/// Ours: what goes into one submission, one token apart, which goes whole. Written in some tenths
/// of a second, which other processes wait for.
constexpr std::size_t records_together_max = 10'000;
static_assert(records_together_max <= ledger::limits::queued_records_max);

/// Whether other records might be written where these were not.
bool is_of_the_records(const Error& error) {
    return error.code != Errc::storage_full && error.code != Errc::unavailable;
}

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
    assert(commits_.empty() || commits_.back().token < token);
    records_ += records.size();
    commits_.push_back({.token = token, .records = std::move(records)});
    look_at_load();
    if (under_way_ == 0) {
        begin();
    }
}

/// Sends as many of those that wait as may go together.
void Commits::begin() {
    std::size_t records = 0;
    while (under_way_ < commits_.size() && under_way_ < together_max_) {
        records += commits_[under_way_].records.size();
        if (under_way_ > 0 && records > records_together_max) {
            break;
        }
        ++under_way_;
    }
    submit();
}

/// Sends those that are under way, for the first time or again.
void Commits::submit() {
    std::vector<ledger::Record> records;
    for (std::size_t index = 0; index < under_way_; ++index) {
        const std::vector<ledger::Record>& more = commits_[index].records;
        records.insert(records.end(), more.begin(), more.end());
    }
    writer_.submit(std::move(records), [this, is_alive = alive_](Result<void> done) {
        loop_.post([this, is_alive, done = std::move(done)] {
            if (*is_alive) {
                written(done);
            }
        });
    });
}

void Commits::submit_later() {
    loop_.after(retry_after, [this, is_alive = alive_] {
        if (*is_alive) {
            submit();
        }
    });
}

void Commits::written(const Result<void>& result) {
    if (result) {
        confirm();
    } else {
        failed(result.error());
    }
}

void Commits::failed(const Error& error) {
    if (under_way_ > 1 && is_of_the_records(error)) {
        apart_through_ = std::max(apart_through_, commits_[under_way_ - 1].token);
        under_way_ /= 2;
        together_max_ = under_way_;
        submit();
    } else if (error.code == Errc::refused && give_away_first()) {
        if (commits_.front().records.empty()) {
            confirm();
        } else {
            submit();
        }
    } else {
        failure_ = error;
        submit_later();
    }
}

/// Whether something was given away. What is asked for later of the same jobs goes too: it would
/// end or grant what is another process's.
bool Commits::give_away_first() {
    std::set<Cid> given;
    for (const ledger::Record& record : commits_.front().records) {
        given.insert(ledger::job_of(record));
    }
    if (!give_away_(commits_.front().records)) {
        return false;
    }
    for (const ledger::Record& record : commits_.front().records) {
        given.erase(ledger::job_of(record));
    }
    records_ = 0;
    for (Commit& commit : commits_) {
        std::erase_if(commit.records, [&given](const ledger::Record& record) {
            return given.contains(ledger::job_of(record));
        });
        records_ += commit.records.size();
    }
    return true;
}

/// Those that are under way are on the disk. The next go to the writer first, so that it works
/// while the machine is told.
void Commits::confirm() {
    const lease::JournalToken last = commits_[under_way_ - 1].token;
    for (; under_way_ > 0; --under_way_) {
        records_ -= commits_.front().records.size();
        commits_.pop_front();
    }
    if (last >= apart_through_) {
        together_max_ = std::numeric_limits<std::size_t>::max();
    }
    failure_.reset();
    look_at_load();
    if (!commits_.empty()) {
        begin();
    }
    on_durable_(last);
}

void Commits::look_at_load() {
    if (!failure_ && records_ > ledger::limits::queued_records_max) {
        failure_ = Error{Errc::unavailable, "too much waits to be written to the ledger"};
    }
}

} // namespace ic::coordinator
