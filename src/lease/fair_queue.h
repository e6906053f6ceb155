#pragma once
/// FairQueue: whose job is next. Deficit round robin over flows (a submitter at a priority), so
/// that nobody who submits a thousand jobs keeps out one who submits one. Within a flow the job
/// that was accepted first: one whose worker was lost does not wait behind all that came after it.

#include "job/ids.h"

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace ic::lease {

/// Holds numbers of jobs, given in the order of their acceptance. Every operation is O(log jobs).
/// Threads: one.
class FairQueue {
public:
    /// Requires: `id` is not in the queue, `priority` is 0 to 9. A flow of priority p gets p + 1
    /// turns a round.
    void push(std::uint64_t id, const PublicKey& submitter, std::uint32_t priority);

    /// The next one, which stays.
    std::optional<std::uint64_t> front() const;

    /// Takes the next one out. Requires: not empty.
    void pop();

    /// No change if it is not in the queue.
    void erase(std::uint64_t id);

    std::size_t size() const { return places_.size(); }

private:
    using FlowKey = std::pair<PublicKey, std::uint32_t>;

    struct Flow {
        std::uint32_t weight = 1;
        std::uint32_t credit = 1;
        std::set<std::uint64_t> ids;
        std::list<std::map<FlowKey, Flow>::iterator>::iterator turn;
    };

    using FlowPlace = std::map<FlowKey, Flow>::iterator;

    std::map<FlowKey, Flow> flows_; ///< Only those that have jobs.
    std::list<FlowPlace> turns_;    ///< The first one's turn it is.
    std::unordered_map<std::uint64_t, FlowPlace> places_;
};

} // namespace ic::lease
