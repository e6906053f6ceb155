#include "job/queue.h"

#include <algorithm>
#include <cassert>
#include <iterator>

namespace ic::job {
namespace {

constexpr std::uint32_t highest_priority = 9;

Error full(std::string_view whose, std::size_t most) {
    return {Errc::unavailable,
            std::string(whose) + " holds " + std::to_string(most) +
                " jobs already, its limit: submit again later"};
}

} // namespace

Queue::Submitter& Queue::enter(const PublicKey& key) {
    const auto [entry, is_new] = submitters_.try_emplace(key);
    Submitter& submitter = entry->second;
    if (!submitter.jobs.empty()) {
        return submitter;
    }
    if (!is_new) {
        away_.erase({submitter.turn, key});
    }
    const std::uint64_t now = waiting_.empty() ? 0 : waiting_.begin()->first.first;
    submitter.turn = {std::max(is_new ? 0 : submitter.turn.first, now), next_turn_++};
    waiting_.emplace(submitter.turn, key);
    return submitter;
}

Result<void> Queue::push(const QueuedJob& job, Place place) {
    assert(job.cost >= 1 && job.cost <= limits::queue_cost_max);
    if (jobs_.contains(job.job)) {
        return {};
    }
    if (jobs_.size() >= limits_.jobs_max) {
        return full("the queue", limits_.jobs_max);
    }
    const auto known = submitters_.find(job.submitter);
    if (known != submitters_.end() && known->second.jobs.size() >= limits_.jobs_per_submitter_max) {
        return full("the queue of " + job.submitter.to_did(), limits_.jobs_per_submitter_max);
    }
    const std::int64_t arrival = next_arrival_++;
    const Rank rank{highest_priority - std::min(job.priority, highest_priority),
                    place == Place::back ? arrival : -arrival};
    enter(job.submitter).jobs.emplace(rank, job);
    jobs_.emplace(job.job, Entry{job.submitter, rank});
    return {};
}

std::optional<QueuedJob> Queue::extract(const Cid& job) {
    const auto found = jobs_.find(job);
    if (found == jobs_.end()) {
        return std::nullopt;
    }
    const Entry entry = found->second;
    jobs_.erase(found);
    Submitter& submitter = submitters_.at(entry.submitter);
    auto node = submitter.jobs.extract(entry.rank);
    if (submitter.jobs.empty()) {
        waiting_.erase({submitter.turn, entry.submitter});
        away_.emplace(submitter.turn, entry.submitter);
    }
    return std::move(node.mapped());
}

void Queue::charge(const PublicKey& key, std::uint64_t cost) {
    Submitter& submitter = submitters_.at(key);
    Turns& turns = submitter.jobs.empty() ? away_ : waiting_;
    turns.erase({submitter.turn, key});
    submitter.turn = {submitter.turn.first + cost, next_turn_++};
    turns.emplace(submitter.turn, key);
}

void Queue::forget_the_settled() {
    // Where nobody waits, nobody was kept waiting: all accounts are closed.
    const std::uint64_t now = waiting_.empty() ? UINT64_MAX : waiting_.begin()->first.first;
    while (!away_.empty() &&
           (away_.begin()->first.first <= now || away_.size() > limits_.jobs_max)) {
        submitters_.erase(away_.begin()->second);
        away_.erase(away_.begin());
    }
}

std::optional<QueuedJob> Queue::front() const {
    if (waiting_.empty()) {
        return std::nullopt;
    }
    return submitters_.at(waiting_.begin()->second).jobs.begin()->second;
}

std::optional<QueuedJob> Queue::pop() {
    const std::optional<QueuedJob> next = front();
    return next ? take(next->job) : std::nullopt;
}

std::optional<QueuedJob> Queue::take(const Cid& job) {
    std::optional<QueuedJob> taken = extract(job);
    if (taken) {
        charge(taken->submitter, taken->cost);
        forget_the_settled();
    }
    return taken;
}

bool Queue::remove(const Cid& job) {
    const bool removed = extract(job).has_value();
    forget_the_settled();
    return removed;
}

std::optional<std::size_t> Queue::position(const Cid& job) const {
    const auto found = jobs_.find(job);
    if (found == jobs_.end()) {
        return std::nullopt;
    }
    const PublicKey& key = found->second.submitter;
    const Submitter& own = submitters_.at(key);
    auto ahead = static_cast<std::size_t>(
        std::distance(own.jobs.begin(), own.jobs.find(found->second.rank)));
    // Each job of cost 1 moves its submitter one round on: this one's turn comes in this round.
    const std::uint64_t round = own.turn.first + ahead;
    for (const auto& [turn, other] : waiting_) {
        if (other == key || turn.first > round) {
            continue;
        }
        // In the round itself the other comes first if it was in that round, or in its own first
        // one, before this submitter was.
        const bool before = turn.first > own.turn.first ||
                            (turn.first == own.turn.first && turn.second < own.turn.second);
        const std::uint64_t rounds = round - turn.first + (before ? 1 : 0);
        const std::size_t queued = submitters_.at(other).jobs.size();
        ahead += static_cast<std::size_t>(std::min<std::uint64_t>(rounds, queued));
    }
    return ahead;
}

} // namespace ic::job
