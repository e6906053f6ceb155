#pragma once
/// do_in_order: jobs that are taken one by one, worked on by several threads, and handed on in the
/// order in which they were taken.

#include "base/result.h"

#include <cassert>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ic::importer {

struct WorkShape {
    std::size_t threads = 1;  ///< The caller's included; 1 starts none.
    std::size_t jobs_max = 2; ///< Taken and not yet handed on; at least `threads`.
};

namespace detail {

/// What the threads of one `do_in_order` share.
template <class Job>
class OrderedWork {
public:
    using Next = std::function<Result<std::optional<Job>>()>;
    using Work = std::function<Result<void>(Job&)>;
    using Done = std::function<Result<void>(Job&)>;

    OrderedWork(WorkShape shape, const Next& next, const Work& work, const Done& done)
        : shape_(shape)
        , next_(next)
        , work_(work)
        , done_(done) {}

    Result<void> run() {
        std::vector<std::jthread> others;
        for (std::size_t index = 1; index < shape_.threads; ++index) {
            others.emplace_back([this] { work_to_the_end(); });
        }
        work_to_the_end();
        others.clear(); // Joins.
        return std::move(outcome_);
    }

private:
    /// A job on its way, in the order of `slots_`.
    struct Slot {
        std::optional<Job> job{};
        Result<void> worked{};
        bool is_ready = false;
    };

    void work_to_the_end() {
        try {
            while (work_on_one()) {
            }
        } catch (const std::exception& thrown) { // Of libraries: memory that is not there.
            stop(Error{Errc::internal, std::string("adding failed: ") + thrown.what()});
        }
    }

    void stop(Error error) {
        const std::lock_guard lock(mutex_);
        if (outcome_.ok()) {
            outcome_ = std::move(error);
        }
        is_over_ = true;
        changed_.notify_all();
    }

    /// Whether there may be more to do.
    bool work_on_one() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] {
            return is_over_ || (!is_taking_ && !is_all_taken_ && slots_.size() < shape_.jobs_max);
        });
        if (is_over_) {
            return false;
        }
        is_taking_ = true; // The one thread that may call `next_`, which can block.
        lock.unlock();
        Result<std::optional<Job>> taken = next_();
        lock.lock();
        is_taking_ = false;
        changed_.notify_all();
        if (!taken.ok()) { // Jobs before it are still handed on; this error comes in its turn.
            slots_.push_back({.worked = std::move(taken).take_error(), .is_ready = true});
            is_all_taken_ = true;
            hand_on(lock);
            return true;
        }
        std::optional<Job> job = std::move(taken).take();
        if (!job) {
            is_all_taken_ = true;
            hand_on(lock);
            return true;
        }
        slots_.push_back({.job = std::move(job)});
        Slot& slot = slots_.back(); // A deque moves nothing when its ends change.
        lock.unlock();
        Result<void> worked = work_(*slot.job);
        lock.lock();
        slot.worked = std::move(worked);
        slot.is_ready = true;
        hand_on(lock);
        return true;
    }

    /// Hands on all jobs at the front that are ready, unless another thread is at it: it will see
    /// the new ones. Requires: `lock` is held.
    void hand_on(std::unique_lock<std::mutex>& lock) {
        if (is_handing_on_) {
            return;
        }
        is_handing_on_ = true;
        while (!is_over_ && !slots_.empty() && slots_.front().is_ready) {
            Slot& slot = slots_.front();
            lock.unlock();
            Result<void> done = slot.worked.ok() ? done_(*slot.job) : std::move(slot.worked);
            lock.lock();
            slots_.pop_front();
            if (!done.ok()) {
                outcome_ = std::move(done);
                is_over_ = true;
            }
            changed_.notify_all();
        }
        is_handing_on_ = false;
        if (is_all_taken_ && slots_.empty() && !is_over_) {
            is_over_ = true;
            changed_.notify_all();
        }
    }

    const WorkShape shape_;
    const Next& next_;
    const Work& work_;
    const Done& done_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Slot> slots_;
    bool is_taking_ = false;
    bool is_all_taken_ = false;
    bool is_handing_on_ = false;
    bool is_over_ = false;
    Result<void> outcome_;
};

} // namespace detail

/// Calls `next` until it gives no job, `work` for each job, and then `done` for each in the order
/// of `next`. `next` is called by one thread at a time, so is `done` (by another one, perhaps);
/// `work` by as many as there are. The first error in the order of jobs ends it and is given; work
/// that others are at is finished first, and thrown away.
///
/// Errors: of the three; internal if one of them throws.
/// Lifetime: all three are done with when it returns. Memory: `shape.jobs_max` jobs.
template <class Job, class Next, class Work, class Done>
Result<void> do_in_order(WorkShape shape, const Next& next, const Work& work, const Done& done) {
    assert(shape.threads >= 1 && shape.jobs_max >= shape.threads);
    const typename detail::OrderedWork<Job>::Next next_function = std::cref(next);
    const typename detail::OrderedWork<Job>::Work work_function = std::cref(work);
    const typename detail::OrderedWork<Job>::Done done_function = std::cref(done);
    return detail::OrderedWork<Job>(shape, next_function, work_function, done_function).run();
}

} // namespace ic::importer
