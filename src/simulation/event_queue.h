#pragma once
/// EventQueue: what happens when, on virtual time.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace ic::simulation {

/// Threads: one.
class EventQueue {
public:
    struct Event {
        std::int64_t at_us = 0;
        std::uint64_t number = 0;
        std::function<void()> what;
    };

    void push(std::int64_t at_us, std::function<void()> what) {
        events_.push_back({at_us, ++pushed_, std::move(what)});
        std::ranges::push_heap(events_, is_later);
    }

    /// The earliest; of the same moment the one that was pushed first. Requires: not empty.
    Event pop() {
        std::ranges::pop_heap(events_, is_later);
        Event event = std::move(events_.back());
        events_.pop_back();
        return event;
    }

    bool empty() const { return events_.empty(); }

    /// In all, whether they are still there or not.
    std::uint64_t pushed() const { return pushed_; }

private:
    static bool is_later(const Event& left, const Event& right) {
        return std::pair(left.at_us, left.number) > std::pair(right.at_us, right.number);
    }

    std::vector<Event> events_; ///< A heap.
    std::uint64_t pushed_ = 0;
};

} // namespace ic::simulation
