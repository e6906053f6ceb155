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
        {Fault::probed_only, "probed_only"},
        {Fault::renewal_not_fenced, "renewal_not_fenced"},
        {Fault::restart_without_fence, "restart_without_fence"},
        {Fault::unknown_lease_renewed, "unknown_lease_renewed"},
        {Fault::stale_hand_back_taken, "stale_hand_back_taken"},
        {Fault::replayed_grant, "replayed_grant"},
        {Fault::bid_nonce_reused, "bid_nonce_reused"},
        {Fault::lease_counted_from_grant, "lease_counted_from_grant"},
        {Fault::renew_counted_from_answer, "renew_counted_from_answer"},
        {Fault::lease_end_ignored, "lease_end_ignored"},
        {Fault::receipt_not_resent, "receipt_not_resent"},
        {Fault::receipt_to_dead_only, "receipt_to_dead_only"},
        {Fault::hand_back_while_running, "hand_back_while_running"},
        {Fault::renew_sequence_ignored, "renew_sequence_ignored"},
        {Fault::drain_hands_back, "drain_hands_back"},
        {Fault::lost_fsync, "lost_fsync"},
        {Fault::suspend_ignored, "suspend_ignored"},
        {Fault::epoch_reused_after_restart, "epoch_reused_after_restart"},
        {Fault::accepted_forgotten, "accepted_forgotten"},
        {Fault::adopt_of_the_living, "adopt_of_the_living"},
        {Fault::proof_of_broker_alone, "proof_of_broker_alone"},
        {Fault::clock_beyond_ratio, "clock_beyond_ratio"},
        {Fault::lease_on_wall_clock, "lease_on_wall_clock"},
        {Fault::epoch_dropped_by_older, "epoch_dropped_by_older"},
        {Fault::unknown_field_refused, "unknown_field_refused"},
        {Fault::wrong_receipt, "wrong_receipt"},
    };
    return faults;
}

} // namespace ic::sim
