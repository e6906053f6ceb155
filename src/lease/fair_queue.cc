#include "lease/fair_queue.h"

#include <cassert>

namespace ic::lease {

void FairQueue::push(std::uint64_t id, const PublicKey& submitter, std::uint32_t priority) {
    assert(!places_.contains(id));
    const auto [flow, is_new] = flows_.try_emplace(FlowKey{submitter, priority});
    if (is_new) {
        flow->second.weight = priority + 1;
        flow->second.credit = flow->second.weight;
        flow->second.turn = turns_.insert(turns_.end(), flow);
    }
    flow->second.ids.insert(id);
    places_.emplace(id, flow);
}

std::optional<std::uint64_t> FairQueue::front() const {
    if (turns_.empty()) {
        return std::nullopt;
    }
    return *turns_.front()->second.ids.begin();
}

void FairQueue::pop() {
    assert(!turns_.empty());
    Flow& flow = turns_.front()->second;
    const std::uint64_t id = *flow.ids.begin();
    if (--flow.credit == 0) {
        flow.credit = flow.weight;
        turns_.splice(turns_.end(), turns_, turns_.begin());
    }
    erase(id);
}

void FairQueue::erase(std::uint64_t id) {
    const auto place = places_.find(id);
    if (place == places_.end()) {
        return;
    }
    const FlowPlace flow = place->second;
    flow->second.ids.erase(id);
    places_.erase(place);
    if (flow->second.ids.empty()) {
        turns_.erase(flow->second.turn);
        flows_.erase(flow);
    }
}

} // namespace ic::lease
