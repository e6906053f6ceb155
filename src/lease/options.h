#pragma once
/// The numbers of the protocol, and the inequality between them that keeps one job to one guest.
/// docs/formats/protocol.md says why it holds.

#include "base/result.h"
#include "base/time.h"
#include "job/labels.h"
#include "lease/rendezvous.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ic::lease {

/// Durations that coordinators and workers must agree on in kind, though not in value: a grant and
/// a renewal carry the coordinator's own `duration`.
struct Timing {
    /// How long a lease lasts from when its bid or renewal was sent, on the worker's clock.
    std::chrono::milliseconds duration{3'000};
    /// How often a worker renews.
    std::chrono::milliseconds renew_every{1'000};
    /// What a worker may take from the end of a lease until its guest runs no more.
    std::chrono::milliseconds stop_max{500};

    /// How long a coordinator waits after it sent a grant or a renewal, before it grants the job
    /// again without proof that the holder has stopped: 1.5 x duration + stop_max, on its clock.
    constexpr std::chrono::milliseconds fence() const { return fence_of(duration); }

    /// The same for a lease of another duration (one that an earlier process granted).
    constexpr std::chrono::milliseconds fence_of(std::chrono::milliseconds lease) const {
        return lease + lease / 2 + stop_max;
    }
};

/// The clock of no node may run faster than this many times the clock of any other (as a fraction):
/// the rate r of a coordinator against a worker is safe while duration x r + stop_max <= fence.
inline constexpr std::int64_t clock_ratio_numerator = 3;
inline constexpr std::int64_t clock_ratio_denominator = 2;

/// Whether no guest of a lease can be alive when its fence is over, at the stated clock ratio
/// (`stop_max` is meant on the coordinator's clock).
constexpr bool is_fenced(const Timing& timing) {
    return timing.duration * clock_ratio_numerator + timing.stop_max * clock_ratio_denominator <=
           timing.fence() * clock_ratio_denominator;
}

static_assert(is_fenced(Timing{}));
static_assert(Timing{}.renew_every * 3 <= Timing{}.duration,
              "two renewals in a row may be lost without loss of the lease");

struct CoordinatorOptions {
    Timing timing;
    /// A bid older than this (since it arrived here) is not granted on: little of its lease is
    /// left.
    std::chrono::milliseconds bid_age_max{2'000};
    /// First and longest pause between two announcements of one job.
    std::chrono::milliseconds announce_first{100};
    std::chrono::milliseconds announce_longest{2'000};
    /// Between any two announcements, whatever waits: so that a long queue does not flood a
    /// network.
    std::chrono::milliseconds announce_pace{10};
    /// First and longest pause of a job that suits none of the workers that are free, before they
    /// are looked at again; and how many of those that pause are looked at for a bid.
    std::chrono::milliseconds pass_first{100};
    std::chrono::milliseconds pass_longest{400};
    std::size_t pass_looks_max = 256;
    /// Idle workers that are asked directly, before a job that nobody here is free for is announced
    /// to all; and how long their bids are waited for.
    std::size_t probes = 2;
    std::chrono::milliseconds probe_time{100};
    /// First and longest pause before another attempt after a retryable failure.
    std::chrono::milliseconds retry_first{50};
    std::chrono::milliseconds retry_longest{5'000};
    /// Beyond its own timeouts an attempt gets this much before the coordinator takes it back.
    std::chrono::milliseconds attempt_slack{10'000};
    /// A job of which no free worker of this home has all but so many bytes is announced, and given
    /// out after this time, to the worker that has most of it.
    std::uint64_t gather_bytes_min = 8U << 20U;
    std::chrono::milliseconds gather_time{50};
    std::size_t localities_per_job_max = 64; ///< Workers of which it remembers what they have.
    std::size_t jobs_open_max = 100'000;
    std::size_t invocation_bytes_open_max = 256U << 20U; ///< Of all open jobs together.
    std::size_t finished_remembered_max = 4'096;
    std::size_t peers_max = 1'024;
    std::size_t bids_per_peer_max = 256;
    std::size_t notes_per_job_max = 8;          ///< Workers of which a job says why (not) they.
    std::size_t announced_to_asker_max = 16;    ///< Answers to one OpenJobsQuery.
    std::size_t announced_document_max = 4'096; ///< Bytes; a larger invocation goes without.
};

struct WorkerOptions {
    Timing timing;
    std::uint32_t slots = 1;
    /// A standing bid is replaced by a fresh one when it is this old.
    std::chrono::milliseconds bid_refresh{1'000};
    /// How long after its last announcement a coordinator gets standing bids. No multiple of
    /// `bid_refresh`, so that an announcement that is repeated at once costs no further bid.
    std::chrono::milliseconds coordinator_active{5'500};
    /// First and longest pause between two sendings of one receipt.
    std::chrono::milliseconds receipt_first{200};
    std::chrono::milliseconds receipt_longest{2'000};
    /// How long a receipt is kept for whom nobody answers once its coordinator is gone.
    std::chrono::milliseconds receipt_keep{3'600'000};
    /// Renewals to everybody are repeated this often once the coordinator is gone.
    std::chrono::milliseconds renew_when_lost{250};
    /// A worker that has at least so much of what an announced job needs says so, with fresh bids.
    std::uint64_t locality_bytes_min = 1U << 20U;
    RendezvousOptions rendezvous; ///< Whether this worker is among those that bid for a job.
    std::size_t announced_remembered_max = 4'096; ///< Jobs, with how often each was heard of.
    std::size_t receipts_max = 4'096;             ///< Unanswered; beyond it no bid is placed.
    std::size_t coordinators_max = 256;           ///< That get standing bids at once.
    std::size_t cancelled_remembered_max = 4'096; ///< Cancels of leases not known (yet).
    /// How often the worker says to all that it is there; 0: never. On a large network less often,
    /// so that all workers together send no more than `adverts_a_second_max`. (After a start first
    /// 1, 2, 4 ... s: paths to others may need some seconds.)
    std::chrono::milliseconds advert_every{0};
    std::uint64_t adverts_a_second_max = 20;
    std::vector<std::string> features; ///< For adverts: the ABIs that it runs.
    std::string software;              ///< For adverts.
    job::WorkerLabels labels;          ///< For adverts; what constraints are about.
};

/// Errors: usage, naming the inequality that does not hold.
Result<void> check(const CoordinatorOptions& options);
Result<void> check(const WorkerOptions& options);

} // namespace ic::lease
