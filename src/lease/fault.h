#pragma once
/// Bugs planted on purpose, so that the simulator can show that it would find them. They exist only
/// in the copy of the machines that tests/sim compiles for itself (IC_LEASE_FAULTS); in the library
/// that ships `planted` is a constant false and nothing of them is left.

#include <cstdint>

namespace ic::lease {

enum class Fault : std::uint8_t {
    none,
    // In the coordinator.
    no_fence,             ///< A lease without sign of life is granted again at once.
    early_regrant,        ///< The coordinator waits the bare duration, without ratio and stop time.
    journal_after_accept, ///< "Accepted" is said before the record is durable.
    grant_before_journal, ///< A grant is sent before its record is durable.
    finish_before_journal, ///< A receipt is acknowledged before its record is durable.
    stale_receipt_taken,   ///< An impure job takes a receipt of any epoch.
    forget_on_adopt,       ///< Adoption forgets that a job may be running.
    silent_as_dead,        ///< A lost connection counts as proof of death.
    cancel_not_journaled,  ///< A cancel is acknowledged with no record of it.
    cancel_without_wait,   ///< A cancel is acknowledged while a grant may still start a guest.
    double_finish,         ///< A second receipt ends a job again.
    no_reannounce,         ///< A job is announced once only.
    probed_only,           ///< A job of which a worker was asked directly is announced to nobody.
    renewal_not_fenced,    ///< A renewal does not put off the next grant.
    restart_without_fence, ///< Adoption does not wait out a lease whose holder may be alive.
    unknown_lease_renewed, ///< A lease of a job that is not known is renewed too.
    stale_hand_back_taken, ///< A hand-back of an earlier epoch releases the present one.
    // In the worker.
    replayed_grant,   ///< A grant is taken whatever became of its bid: used, withdrawn, never made.
    bid_nonce_reused, ///< Every bid carries the same nonce.
    lease_counted_from_grant,  ///< The lease counts from when the grant came.
    renew_counted_from_answer, ///< A renewed lease counts from when the answer came.
    lease_end_ignored,         ///< The guest is not stopped when its lease ends.
    receipt_not_resent,        ///< A receipt is sent once only.
    receipt_to_dead_only,      ///< A receipt stays with a coordinator that is dead.
    hand_back_while_running,   ///< A doubled grant is handed back while its guest runs.
    renew_sequence_ignored,    ///< Any answer counts as that to the latest renewal.
    drain_hands_back,          ///< A worker that is to leave hands back what it still runs.
    // In what surrounds them (the simulator's own ledger, clocks, processes and codecs).
    lost_fsync,                 ///< The ledger confirms what it has not synced.
    suspend_ignored,            ///< The worker's clock stands still while the process does.
    epoch_reused_after_restart, ///< The incarnation is not durable.
    accepted_forgotten,         ///< Jobs of a dead process are not adopted.
    adopt_of_the_living,        ///< Jobs of a process that merely stands still are adopted.
    proof_of_broker_alone,      ///< A process counts as dead while its executors still run.
    clock_beyond_ratio,         ///< A clock runs faster than the stated ratio allows.
    lease_on_wall_clock,        ///< Leases and fences are counted on a clock that people set.
    epoch_dropped_by_older,     ///< A node of an older version writes an epoch without incarnation.
    unknown_field_refused,      ///< A message with a field that is not known is dropped.
    wrong_receipt,              ///< A worker sends the receipt of another job.
};

#ifdef IC_LEASE_FAULTS
/// Whether this bug is planted in the running simulation.
bool planted(Fault fault);
#else
constexpr bool planted(Fault) { return false; }
#endif

} // namespace ic::lease
