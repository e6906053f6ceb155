/// Worker: grants, leases and receipts.

#include "lease/worker_impl.h"

#include <algorithm>

namespace ic::lease {

using namespace std::chrono_literals;

// --- grants --------------------------------------------------------------------------------------

void Worker::Impl::hand_back(const job::Instance& to,
                             const job::LeaseRef& lease,
                             Errc reason,
                             std::string message) {
    job::HandBack back{self, lease, reason, std::move(message)};
    if (is_gone(to)) {
        actions.push_back(Announcement{std::move(back)});
    } else {
        actions.push_back(Send{to, std::move(back)});
    }
}

/// A grant is taken once, for a bid of ours that still stands; every other is handed back, which is
/// true whatever it was: no guest of that lease runs here or ever will.
void Worker::Impl::on_grant(const job::Instance& from, job::Grant& grant, Instant now) {
    if (grant.worker != self || grant.coordinator != from) {
        return;
    }
    if (leases.contains(grant.lease)) {
        if (planted(Fault::hand_back_while_running)) {
            hand_back(from, grant.lease, Errc::unavailable, "doubled");
        }
        return; // Doubled on its way.
    }
    const auto receipt = receipts.find(grant.lease);
    if (receipt != receipts.end()) {
        send_receipt(grant.lease, receipt->second, now);
        return;
    }
    const auto bid = bids.find(grant.nonce);
    const bool is_void = bid == bids.end() || bid->second.coordinator != from;
    if (is_void && !planted(Fault::replayed_grant)) {
        hand_back(from, grant.lease, Errc::unavailable, "the bid is void");
        return;
    }
    Instant sent = now;
    if (!is_void) {
        sent = planted(Fault::lease_counted_from_grant) ? now : bid->second.sent;
        forget_bid(grant.nonce);
    }
    // Never longer than our own duration, for which `cancelled` remembers.
    const Instant until = sent + std::min(grant.duration, options.timing.duration);
    const auto same_job = leases.lower_bound({grant.lease.job, {}});
    if (cancelled.contains(grant.lease)) {
        hand_back(from, grant.lease, Errc::cancelled, "cancelled before it came");
    } else if (now >= until) {
        hand_back(from, grant.lease, Errc::unavailable, "the grant came when its lease was over");
    } else if (draining || slots_free() == 0) {
        hand_back(from, grant.lease, Errc::unavailable, "the slot was taken");
    } else if (same_job != leases.end() && same_job->first.job == grant.lease.job) {
        hand_back(
            from, grant.lease, Errc::unavailable, "an earlier run of this job is ending here");
    } else {
        start(grant, until, now);
    }
}

void Worker::Impl::start(job::Grant& grant, Instant until, Instant now) {
    leases.emplace(grant.lease, Lease{grant.coordinator, until, {}});
    gone.erase(grant.coordinator);
    actions.push_back(StartRun{grant.lease, grant.coordinator, std::move(grant.invocation), until});
    // A lease on an old bid is short: renewed at once; else with the others.
    const bool is_short = until - now < options.timing.duration - options.timing.renew_every;
    const Instant next = std::max(last_renew + options.renew_when_lost,
                                  is_short ? now : now + options.timing.renew_every);
    renew_at = leases.size() == 1 ? next : std::min(renew_at, next);
}

// --- leases --------------------------------------------------------------------------------------

void Worker::Impl::stop(const job::LeaseRef& ref, Lease& lease, Errc reason) {
    if (!lease.stopping) {
        lease.stopping = reason;
        actions.push_back(StopRun{ref, reason});
    }
}

void Worker::Impl::end_leases(Instant now) {
    for (auto& [ref, lease] : leases) {
        if (!lease.stopping && now >= lease.until && !planted(Fault::lease_end_ignored)) {
            stop(ref, lease, Errc::lease_lost);
        }
    }
}

void Worker::Impl::send_renew(const job::Instance* to,
                              std::vector<job::LeaseRef> refs,
                              Instant now) {
    job::Renew renew{.worker = self, .sequence = ++renew_sequence, .leases = std::move(refs)};
    renewals.emplace_back(renew_sequence, now);
    if (to == nullptr) {
        actions.push_back(Announcement{std::move(renew)});
    } else {
        actions.push_back(Send{*to, std::move(renew)});
    }
}

/// One message a coordinator (and one to everybody for those whose coordinator is gone).
void Worker::Impl::renew(Instant now) {
    while (!renewals.empty() && now - renewals.front().second > options.timing.duration) {
        renewals.pop_front();
    }
    std::map<job::Instance, std::vector<job::LeaseRef>> groups;
    std::vector<job::LeaseRef> orphans;
    for (const auto& [ref, lease] : leases) {
        if (!lease.stopping) {
            std::vector<job::LeaseRef>& group =
                is_gone(lease.coordinator) ? orphans : groups[lease.coordinator];
            group.push_back(ref);
            if (group.size() == job::limits::leases_per_message_max) {
                send_renew(&group == &orphans ? nullptr : &lease.coordinator,
                           std::exchange(group, {}),
                           now);
            }
        }
    }
    for (auto& [coordinator, refs] : groups) {
        if (!refs.empty()) {
            send_renew(&coordinator, std::move(refs), now);
        }
    }
    const bool lost = !orphans.empty();
    if (lost) {
        send_renew(nullptr, std::move(orphans), now);
    }
    last_renew = now;
    renew_at = leases.empty() ? Instant::never()
                              : now + (lost ? options.renew_when_lost : options.timing.renew_every);
}

void Worker::Impl::on_renew_answer(const job::Instance& from,
                                   const job::RenewAnswer& answer,
                                   Instant now) {
    const auto sent = std::find_if(renewals.begin(), renewals.end(), [&answer](const auto& each) {
        return each.first == answer.sequence;
    });
    if (sent == renewals.end()) {
        return;
    }
    Instant base = planted(Fault::renew_counted_from_answer) ? now : sent->second;
    if (planted(Fault::renew_sequence_ignored)) {
        base = renewals.back().second;
    }
    const Instant until = base + std::min(answer.duration, options.timing.duration);
    for (const job::LeaseRef& ref : answer.renewed) {
        const auto at = leases.find(ref);
        if (at == leases.end() || at->second.stopping) {
            continue;
        }
        Lease& lease = at->second;
        if (lease.coordinator != from) {
            if (!is_gone(lease.coordinator)) {
                continue;
            }
            lease.coordinator = from; // It answers for the job now.
        }
        if (until > lease.until) {
            lease.until = until;
            actions.push_back(LeaseUntil{ref, until});
        }
    }
    for (const job::LeaseRef& ref : answer.lost) {
        const auto at = leases.find(ref);
        if (at != leases.end() &&
            (at->second.coordinator == from || is_gone(at->second.coordinator))) {
            at->second.coordinator = from;
            stop(ref, at->second, Errc::lease_lost);
        }
    }
}

void Worker::Impl::on_cancel(const job::Instance& from, const job::Cancel& cancel, Instant now) {
    const auto at = leases.find(cancel.lease);
    if (at != leases.end()) {
        if (at->second.coordinator != from && is_gone(at->second.coordinator)) {
            at->second.coordinator = from;
        }
        stop(cancel.lease, at->second, cancel.reason);
        return;
    }
    const auto receipt = receipts.find(cancel.lease);
    if (receipt != receipts.end()) {
        if (is_gone(receipt->second.coordinator)) {
            receipt->second.coordinator = from;
        }
        send_receipt(cancel.lease, receipt->second, now); // It says that nothing runs here.
        return;
    }
    // Its grant may still be on the way. Every bid that it could answer is void by then.
    if (cancelled_order.size() < options.cancelled_remembered_max) {
        if (cancelled.insert(cancel.lease).second) {
            cancelled_order.emplace_back(now + 2 * options.timing.duration, cancel.lease);
        }
        hand_back(from, cancel.lease, Errc::cancelled, "not here");
    }
}

// --- the end of a run ----------------------------------------------------------------------------

void Worker::Impl::run_finished(const job::LeaseRef& ref, RunEnd end, Instant now) {
    const auto at = leases.find(ref);
    if (at == leases.end()) {
        return;
    }
    const Lease lease = at->second;
    leases.erase(at);
    if (!end.receipt) {
        hand_back(
            lease.coordinator, ref, lease.stopping.value_or(end.reason), std::move(end.message));
        return;
    }
    UnansweredReceipt receipt{.coordinator = lease.coordinator,
                              .message = {self, ref, std::move(*end.receipt)},
                              .made = now,
                              .next = now,
                              .pause = options.receipt_first};
    send_receipt(ref, receipts.emplace(ref, std::move(receipt)).first->second, now);
}

void Worker::Impl::send_receipt(const job::LeaseRef& ref, UnansweredReceipt& receipt, Instant now) {
    if (is_gone(receipt.coordinator) && !planted(Fault::receipt_to_dead_only)) {
        actions.push_back(Announcement{receipt.message});
    } else {
        actions.push_back(Send{receipt.coordinator, receipt.message});
    }
    resends.erase({receipt.next, ref});
    receipt.next = now + receipt.pause;
    receipt.pause = std::min(receipt.pause * 2, options.receipt_longest);
    if (!planted(Fault::receipt_not_resent)) {
        resends.emplace(receipt.next, ref);
    }
}

void Worker::Impl::resend_receipts(Instant now) {
    while (!resends.empty() && resends.begin()->first <= now) {
        const job::LeaseRef ref = resends.begin()->second;
        const auto at = receipts.find(ref);
        if (is_gone(at->second.coordinator) && now - at->second.made > options.receipt_keep) {
            drop_receipt(at);
        } else {
            send_receipt(ref, at->second, now);
        }
    }
}

void Worker::Impl::drop_receipt(std::map<job::LeaseRef, UnansweredReceipt>::iterator at) {
    resends.erase({at->second.next, at->first});
    receipts.erase(at);
}

void Worker::Impl::on_receipt_answer(const job::Instance& from, const job::ReceiptAnswer& answer) {
    const auto at = receipts.find(answer.lease);
    if (at != receipts.end() &&
        (at->second.coordinator == from || is_gone(at->second.coordinator))) {
        drop_receipt(at); // Whatever became of it, it is no longer ours to send.
    }
}

} // namespace ic::lease
