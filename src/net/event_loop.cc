#include "net/event_loop.h"

#include "base/unique_fd.h"
#include "net/loop_context.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <fcntl.h>
#include <sys/timerfd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace ic::net {
namespace asio = boost::asio;

// One of the two is set. `wanted` turns false when the Watch goes; the operation that is still
// under way then does nothing.
struct Watch::State {
    std::optional<asio::posix::stream_descriptor> descriptor;
    std::optional<asio::signal_set> signals;
    Ready ready = Ready::to_read;
    std::function<void()> call;
    std::function<void(int)> call_signal;
    bool wanted = true;
    bool owns_descriptor = false; // A duplicate of the caller's.

    ~State() { give_back(); }

    // The caller's descriptor must not be closed here; a duplicate must.
    void give_back() {
        if (!descriptor || !descriptor->is_open()) {
            return;
        }
        if (owns_descriptor) {
            boost::system::error_code ignored;
            descriptor->close(ignored);
        } else {
            descriptor->release();
        }
    }

    static void wait(const std::shared_ptr<State>& state) {
        const auto kind = state->ready == Ready::to_read ? asio::posix::descriptor_base::wait_read
                                                         : asio::posix::descriptor_base::wait_write;
        state->descriptor->async_wait(kind, [state](const boost::system::error_code& failure) {
            if (!state->wanted || failure == asio::error::operation_aborted) {
                return;
            }
            state->call();
            if (state->wanted) {
                wait(state);
            }
        });
    }

    static void wait_signal(const std::shared_ptr<State>& state) {
        state->signals->async_wait([state](const boost::system::error_code& failure, int signal) {
            if (!state->wanted || failure) {
                return;
            }
            state->call_signal(signal);
            if (state->wanted) {
                wait_signal(state);
            }
        });
    }
};

Watch::Watch() = default;

Watch::Watch(std::shared_ptr<State> state) : state_(std::move(state)) {}

Watch::Watch(Watch&& other) noexcept : state_(std::move(other.state_)) {}

Watch& Watch::operator=(Watch&& other) noexcept {
    if (this != &other) {
        reset();
        state_ = std::move(other.state_);
    }
    return *this;
}

Watch::~Watch() { reset(); }

void Watch::reset() {
    if (!state_) {
        return;
    }
    const std::shared_ptr<State> state = std::exchange(state_, nullptr);
    state->wanted = false;
    state->give_back();
    if (state->signals) {
        boost::system::error_code ignored;
        state->signals->cancel(ignored); // Else the operation keeps the state, and the state it.
        state->signals->clear(ignored);
    }
}

struct EventLoop::Impl {
    // The hint says that one thread runs it: Asio then skips waking other threads.
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> guard{context.get_executor()};

    std::mutex mutex;
    std::vector<std::function<void()>> posted;   // Guarded by `mutex`.
    bool drain_is_due = false;                   // Guarded by `mutex`.
    bool stop_wanted = false;                    // Guarded by `mutex`.
    std::vector<std::function<void()>> draining; // Kept for its capacity.

    // Timers by time and number. A timerfd on CLOCK_BOOTTIME wakes for the first of them: Asio's
    // own timers stand still while the machine is suspended.
    std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> timers;
    std::map<std::uint64_t, Instant> timer_times;
    std::uint64_t last_timer = 0;
    Instant armed_for = Instant::never();
    UniqueFd timer_fd;
    Watch timer_watch;

    void drain() {
        {
            const std::lock_guard lock(mutex);
            draining.swap(posted);
            drain_is_due = false;
        }
        for (std::function<void()>& work : draining) {
            if (context.stopped()) {
                break;
            }
            std::exchange(work, nullptr)();
        }
        keep_undone();
    }

    // After a stop in the middle, the rest stays first in line for the next run.
    void keep_undone() {
        std::vector<std::function<void()>> rest;
        for (std::function<void()>& work : draining) {
            if (work) {
                rest.push_back(std::move(work));
            }
        }
        draining.clear();
        if (rest.empty()) {
            return;
        }
        const std::lock_guard lock(mutex);
        posted.insert(posted.begin(),
                      std::make_move_iterator(rest.begin()),
                      std::make_move_iterator(rest.end()));
        if (!std::exchange(drain_is_due, true)) {
            asio::post(context, [this] { drain(); });
        }
    }

    void arm() {
        const Instant first = timers.empty() ? Instant::never() : timers.begin()->first.first;
        if (first == armed_for) {
            return;
        }
        armed_for = first;
        itimerspec spec{};
        if (first != Instant::never()) {
            // Zero would disarm it; an instant that is past fires at once.
            const auto since_boot = std::max(first.since_boot, std::chrono::nanoseconds{1});
            spec.it_value.tv_sec = static_cast<std::time_t>(since_boot.count() / 1'000'000'000);
            spec.it_value.tv_nsec = static_cast<long>(since_boot.count() % 1'000'000'000);
        }
        ::timerfd_settime(timer_fd.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
    }

    void fire() {
        std::uint64_t expirations = 0;
        if (::read(timer_fd.get(), &expirations, sizeof expirations) < 0 && errno != EAGAIN) {
            return;
        }
        armed_for = Instant::never(); // It has gone off: whatever is first must be armed anew.
        const Instant now = now_since_boot();
        const std::uint64_t last = last_timer; // Timers made by a call wait for the next waking.
        auto next = timers.begin();
        while (next != timers.end() && next->first.first <= now && !context.stopped()) {
            if (next->first.second > last) {
                ++next;
                continue;
            }
            const std::function<void()> call = std::move(next->second);
            timer_times.erase(next->first.second);
            timers.erase(next);
            call();
            next = timers.begin(); // The call may have changed the map.
        }
        arm();
    }
};

asio::io_context& LoopContext::of(EventLoop& loop) { return loop.impl_->context; }

EventLoop::EventLoop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

EventLoop::~EventLoop() { impl_->timer_watch.reset(); }

Result<std::unique_ptr<EventLoop>> EventLoop::open() {
    try {
        auto impl = std::make_unique<Impl>();
        impl->timer_fd.reset(::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC));
        if (!impl->timer_fd) {
            return Error{Errc::unavailable, std::string("no timer: ") + std::strerror(errno)};
        }
        Impl* const raw = impl.get();
        std::unique_ptr<EventLoop> loop{new EventLoop(std::move(impl))};
        raw->timer_watch =
            TRY(loop->watch(raw->timer_fd.get(), Ready::to_read, [raw] { raw->fire(); }));
        return loop;
    } catch (const std::exception& failure) { // Asio throws when it gets no epoll descriptor.
        return Error{Errc::unavailable, std::string("no event loop: ") + failure.what()};
    }
}

void EventLoop::run() {
    {
        const std::lock_guard lock(impl_->mutex);
        if (std::exchange(impl_->stop_wanted, false)) {
            return;
        }
        impl_->context.restart();
    }
    impl_->context.run();
    const std::lock_guard lock(impl_->mutex);
    impl_->stop_wanted = false;
}

void EventLoop::run_for(std::chrono::nanoseconds duration) {
    const TimerId timer = after(duration, [this] { stop(); });
    run();
    cancel(timer);
}

void EventLoop::stop() {
    const std::lock_guard lock(impl_->mutex);
    impl_->stop_wanted = true;
    impl_->context.stop();
}

void EventLoop::post(std::function<void()> work) {
    const std::lock_guard lock(impl_->mutex);
    impl_->posted.push_back(std::move(work));
    if (!std::exchange(impl_->drain_is_due, true)) {
        asio::post(impl_->context, [impl = impl_.get()] { impl->drain(); });
    }
}

TimerId EventLoop::at(Instant when, std::function<void()> call) {
    const TimerId timer{++impl_->last_timer};
    if (when == Instant::never()) {
        return timer;
    }
    impl_->timers.emplace(std::pair{when, timer.value}, std::move(call));
    impl_->timer_times.emplace(timer.value, when);
    impl_->arm();
    return timer;
}

TimerId EventLoop::after(std::chrono::nanoseconds delay, std::function<void()> call) {
    return at(now_since_boot() + delay, std::move(call));
}

void EventLoop::cancel(TimerId timer) {
    const auto found = impl_->timer_times.find(timer.value);
    if (found == impl_->timer_times.end()) {
        return;
    }
    impl_->timers.erase({found->second, timer.value});
    impl_->timer_times.erase(found);
    // Left armed: a waking for nothing is cheaper than a system call for each cancelled timer.
}

Result<Watch> EventLoop::watch(int fd, Ready ready, std::function<void()> call) {
    auto state = std::make_shared<Watch::State>();
    state->descriptor.emplace(impl_->context);
    boost::system::error_code failure;
    state->descriptor->assign(fd, failure);
    if (failure == boost::system::errc::file_exists) {
        // One descriptor has one place in epoll: a second watch of it stands on a duplicate.
        UniqueFd duplicate(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
        state->descriptor->assign(duplicate.get(), failure);
        if (!failure) {
            state->owns_descriptor = true;
            static_cast<void>(duplicate.release());
        }
    }
    if (failure) {
        return Error{Errc::unavailable, "cannot watch a descriptor: " + failure.message()};
    }
    state->ready = ready;
    state->call = std::move(call);
    Watch::State::wait(state);
    return Watch{std::move(state)};
}

Result<Watch> EventLoop::on_signals(std::initializer_list<int> signals,
                                    std::function<void(int)> call) {
    auto state = std::make_shared<Watch::State>();
    state->signals.emplace(impl_->context);
    for (const int signal : signals) {
        boost::system::error_code failure;
        state->signals->add(signal, failure);
        if (failure) {
            return Error{Errc::unavailable, "cannot watch a signal: " + failure.message()};
        }
    }
    state->call_signal = std::move(call);
    Watch::State::wait_signal(state);
    return Watch{std::move(state)};
}

} // namespace ic::net
