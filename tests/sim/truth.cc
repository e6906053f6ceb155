#include "sim/truth.h"

#include "sim/receipt.h"

namespace ic::sim {
namespace {

std::string text(const Cid& id) { return "job " + id.to_string().substr(50); }

std::string text(const job::LeaseRef& lease) {
    return text(lease.job) + " epoch " + lease.epoch.to_string();
}

} // namespace

void Truth::violation(std::string what) { violations_.push_back(std::move(what)); }

void Truth::guest_on(const Cid& id) {
    Job& it = job(id);
    if (++it.running > 1) {
        violation("two guests at once: " + text(id));
    }
    if (it.cancel_acknowledged) {
        violation("a guest runs after the cancel was acknowledged: " + text(id));
    }
}

void Truth::guest_off(const Cid& id) { --job(id).running; }

void Truth::run_started(const job::LeaseRef& lease) {
    ++runs;
    if (!leases_started_.insert(lease).second) {
        violation("a lease was started twice: " + text(lease));
    }
    if (!nonces_started_.insert(nonce_of_[lease]).second) {
        violation("a bid was answered by two runs: " + text(lease));
    }
    if (job(lease.job).cancel_acknowledged) {
        violation("started after the cancel was acknowledged: " + text(lease));
    }
}

void Truth::run_completed(const job::LeaseRef& lease, const Bytes& receipt) {
    job(lease.job).receipts.insert(receipt);
    receipt_of_[lease] = receipt;
}

void Truth::bid_sent(const job::Nonce& nonce) {
    if (!nonces_bid_.insert(nonce).second) {
        violation("a nonce stands in two bids");
    }
}

void Truth::grant_sent(const job::Grant& grant, const SimLedger& ledger) {
    ++grants;
    Job& it = job(grant.lease.job);
    if (!ledger.has_granted(grant.lease)) {
        violation("a grant was sent before it was durable: " + text(grant.lease));
    }
    if (!leases_granted_.insert(grant.lease).second) {
        violation("an epoch was given twice: " + text(grant.lease));
    }
    nonce_of_[grant.lease] = grant.nonce;
    if (grant.lease.epoch <= it.sent) {
        violation("an epoch did not grow: " + text(grant.lease));
    }
    it.sent = grant.lease.epoch;
}

void Truth::accepted_said(const Cid& id, const SimLedger& ledger) {
    job(id).told_accepted = true;
    if (!ledger.has_accepted(id)) {
        violation("accepted was said before it was durable: " + text(id));
    }
}

void Truth::end_said(const job::Outcome& outcome, const SimLedger& ledger) {
    Job& it = job(outcome.job);
    if (it.told_end && it.submits_unanswered == 0) {
        violation("a job ended twice: " + text(outcome.job));
    }
    it.submits_unanswered = 0;
    it.told_end = true;
    check_end(outcome, it);
    if (!ledger.has_finished(outcome.job)) {
        violation("an end was said before it was durable: " + text(outcome.job));
    }
    if (outcome.error == Errc::cancelled) {
        it.cancel_acknowledged = true;
        if (it.running > 0) {
            violation("a cancel was acknowledged while a guest runs: " + text(outcome.job));
        }
    }
}

/// Every time the same, and nothing that no run of the job has made.
void Truth::check_end(const job::Outcome& outcome, Job& it) {
    if (outcome.receipt && !it.receipts.contains(*outcome.receipt)) {
        violation("a job ended with a receipt that no run of it made: " + text(outcome.job));
    }
    if (it.end && (it.end->receipt != outcome.receipt || it.end->error != outcome.error)) {
        violation("a job was said to have two ends: " + text(outcome.job));
    }
    it.end = outcome;
}

void Truth::receipt_acknowledged(const job::LeaseRef& lease, const SimLedger& ledger) {
    Job& it = job(lease.job);
    const auto receipt = receipt_of_.find(lease);
    if (receipt == receipt_of_.end()) {
        violation("a receipt was acknowledged that nobody made: " + text(lease));
    } else if (!may_pass(receipt->second)) { // Else its run does not count.
        if (it.accepted && *it.accepted != lease) {
            violation("two receipts of a job were accepted: " + text(lease));
        }
        it.accepted = lease;
    }
    if (!ledger.has_finished(lease.job) && !ledger.has_released(lease)) {
        violation("a receipt was acknowledged before it was durable: " + text(lease));
    }
}

void Truth::end_written(const lease::FinishedRecord& record) {
    const Job& it = job(record.job);
    if (it.impure && record.lease && record.lease->epoch < it.sent) {
        violation("an impure job took a stale receipt: " + text(*record.lease));
    }
}

void Truth::check_ledger(const SimLedger& ledger, const std::set<Cid>& jobs) {
    const std::map<Cid, SimLedger::Job> kept = ledger.read();
    if (const auto lease = ledger.epoch_out_of_order()) {
        violation("an epoch in the ledger did not grow: " + text(*lease));
    }
    for (const Cid& id : jobs) {
        const Job& it = job(id);
        const auto at = kept.find(id);
        if (it.told_accepted && (at == kept.end() || !at->second.accepted)) {
            violation("an accepted job is gone: " + text(id));
        }
        if (it.told_end && (at == kept.end() || at->second.finished == 0)) {
            violation("an end that was said is gone: " + text(id));
        }
        if (at != kept.end() && at->second.finished > 1) {
            violation("a job has two ends in the ledger: " + text(id));
        }
    }
}

} // namespace ic::sim
