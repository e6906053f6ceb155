#include "sim/faults.h"

namespace ic::lease {
namespace {

thread_local Fault planted_fault = Fault::none;

} // namespace

bool planted(Fault fault) { return fault == planted_fault; }

} // namespace ic::lease

namespace ic::sim {

using lease::Fault;

Planted::Planted(Fault fault) { lease::planted_fault = fault; }

Planted::~Planted() { lease::planted_fault = Fault::none; }

const std::vector<NamedFault>& all_faults() {
    static const std::vector<NamedFault> faults{
        {Fault::no_fence, "no_fence"},
        {Fault::early_regrant, "early_regrant"},
        {Fault::journal_after_accept, "journal_after_accept"},
        {Fault::grant_before_journal, "grant_before_journal"},
        {Fault::finish_before_journal, "finish_before_journal"},
        {Fault::stale_receipt_taken, "stale_receipt_taken"},
        {Fault::forget_on_adopt, "forget_on_adopt"},
        {Fault::silent_as_dead, "silent_as_dead"},
        {Fault::cancel_not_journaled, "cancel_not_journaled"},
        {Fault::cancel_without_wait, "cancel_without_wait"},
        {Fault::double_finish, "double_finish"},
        {Fault::no_reannounce, "no_reannounce"},
        {Fault::renewal_not_fenced, "renewal_not_fenced"},
        {Fault::replayed_grant, "replayed_grant"},
        {Fault::bid_nonce_reused, "bid_nonce_reused"},
        {Fault::lease_counted_from_grant, "lease_counted_from_grant"},
        {Fault::renew_counted_from_answer, "renew_counted_from_answer"},
        {Fault::lease_end_ignored, "lease_end_ignored"},
        {Fault::receipt_not_resent, "receipt_not_resent"},
        {Fault::receipt_to_dead_only, "receipt_to_dead_only"},
        {Fault::hand_back_while_running, "hand_back_while_running"},
        {Fault::lost_fsync, "lost_fsync"},
        {Fault::suspend_ignored, "suspend_ignored"},
        {Fault::epoch_reused_after_restart, "epoch_reused_after_restart"},
        {Fault::accepted_forgotten, "accepted_forgotten"},
    };
    return faults;
}

} // namespace ic::sim
