#pragma once
/// Queue: who is next, fairly. A pure data structure: no clock, no I/O.
///
/// Law. Between submitters: the work served to any two that wait all the while differs by no more
/// than one job's cost, however much each has queued; one that comes anew is owed nothing for the
/// time it was away. Within a submitter: the highest priority first, then the order of arrival. So
/// nobody gets ahead of others by queueing more or by calling everything urgent.
///
/// Deficit round robin's law, kept by a count of work served for each submitter (start-time fair
/// queueing): the one that was served least is next, and no turn is spent on those that must wait.

#include "base/result.h"
#include "identity/key.h"
#include "multiformats/cid.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace ic::job {

namespace limits {
/// Ours: about 250 bytes of memory each.
inline constexpr std::size_t queue_jobs_max = 100'000;
inline constexpr std::size_t queue_jobs_per_submitter_max = 20'000; ///< Ours.
inline constexpr std::uint64_t queue_cost_max = 1'000;              ///< Ours: of one job.
} // namespace limits

/// How many jobs a queue takes.
struct QueueLimits {
    std::size_t jobs_max = limits::queue_jobs_max;
    std::size_t jobs_per_submitter_max = limits::queue_jobs_per_submitter_max;
};

/// A job that waits.
struct QueuedJob {
    Cid job;
    PublicKey submitter;
    std::uint32_t priority = 0; ///< 0 to 9, 9 first; higher ones count as 9.
    std::uint64_t cost = 1;     ///< Its share of its submitter's turn, 1 to `queue_cost_max`.

    friend bool operator==(const QueuedJob&, const QueuedJob&) = default;
};

/// Where a job enters among its submitter's jobs of its priority.
enum class Place : std::uint8_t {
    back,  ///< A new job.
    front, ///< One that had its turn and came back (its worker is lost).
};

/// Costs are for n jobs of m submitters. Threads: one at a time.
class Queue {
public:
    explicit Queue(QueueLimits queue_limits = {}) : limits_(queue_limits) {}

    /// O(log n). A job that is queued already stays as it is.
    /// Errors: unavailable if the queue, or this submitter's part of it, is full.
    Result<void> push(const QueuedJob& job, Place place = Place::back);

    /// The job whose turn it is, charged to its submitter; nothing if none waits. O(log n).
    std::optional<QueuedJob> pop();

    /// What `pop` would give. O(1).
    std::optional<QueuedJob> front() const;

    /// Takes this job out of turn, charged as if popped (it met a bid that only it fits). O(log n).
    std::optional<QueuedJob> take(const Cid& job);

    /// Takes it out uncharged (it was cancelled). False if it does not wait. O(log n).
    bool remove(const Cid& job);

    bool contains(const Cid& job) const { return jobs_.contains(job); }

    std::size_t size() const { return jobs_.size(); }

    /// How many jobs are popped before this one if nothing else happens; nothing if it does not
    /// wait. Exact while all costs are 1. O(m + the submitter's jobs): for people who ask.
    std::optional<std::size_t> position(const Cid& job) const;

private:
    /// Within a submitter: 9 - priority, then the order of arrival (negative for `front`).
    using Rank = std::pair<std::uint32_t, std::int64_t>;
    /// Among submitters: work served, then whose turn began first.
    using Turn = std::pair<std::uint64_t, std::uint64_t>;

    struct Submitter {
        std::map<Rank, QueuedJob> jobs;
        Turn turn;
    };

    struct Entry {
        PublicKey submitter;
        Rank rank;
    };

    using Turns = std::set<std::pair<Turn, PublicKey>>;

    Submitter& enter(const PublicKey& key);
    std::optional<QueuedJob> extract(const Cid& job);
    void charge(const PublicKey& key, std::uint64_t cost);
    void forget_the_settled();

    QueueLimits limits_;
    std::unordered_map<Cid, Entry> jobs_;
    std::unordered_map<PublicKey, Submitter> submitters_; ///< Waiting and away.
    Turns waiting_;
    /// Those with nothing queued who were served more than the next in turn: were they forgotten,
    /// they could come back at once as if they had never been served.
    Turns away_;
    std::uint64_t next_turn_ = 0;
    std::int64_t next_arrival_ = 1;
};

} // namespace ic::job
