#pragma once
/// A race of gateways for one answer: the first is asked, the next one when that takes long or
/// fails, and the first good answer wins.

#include "base/result.h"
#include "blockstore/gateway/gateway.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ic::gateway {

/// The threads in which gateways are asked. Those that lost a race end on their own, within the
/// tenth of a second in which a request notices; this waits for them at its end.
/// Threads: any.
class Runners {
public:
    Runners() = default;
    Runners(const Runners&) = delete;
    Runners& operator=(const Runners&) = delete;
    ~Runners();

    void start(std::function<void()> body);

private:
    struct Runner {
        std::thread thread;
        std::shared_ptr<std::atomic<bool>> ended;
    };

    std::mutex mutex_;
    std::list<Runner> runners_;
};

template <class T>
struct Won {
    T answer;
    std::shared_ptr<Gateway> by;
};

/// Why each of them gave nothing, in the order in which they failed.
struct Failed {
    std::shared_ptr<Gateway> gateway;
    Error error;
};

/// Asks `gateways` in this order, each at most once; `failed` is added to. Nothing if all fail.
/// `ask` runs on a thread of `runners`, perhaps after this has returned: it owns what it uses.
/// `note` is told of every failure, on the same threads.
template <class T>
std::optional<Won<T>>
race(Runners& runners,
     std::span<const std::shared_ptr<Gateway>> gateways,
     std::chrono::milliseconds next_after,
     const std::function<Result<T>(Gateway&, const Stop&)>& ask,
     const std::function<void(const std::shared_ptr<Gateway>&, const Error&)>& note,
     std::vector<Failed>& failed) {
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        std::optional<Won<T>> won;
        std::vector<Failed> failed;
        std::atomic<bool> over = false;
    };

    const auto state = std::make_shared<State>(); // Losers outlive this call.
    const auto start = [&](const std::shared_ptr<Gateway>& gateway) {
        runners.start([state, gateway, ask, note] {
            const Instant began = now_since_boot();
            const auto has_won = std::make_shared<std::atomic<bool>>(false);
            Result<T> answer = ask(*gateway, [state, has_won] {
                return state->over.load() && !has_won->load(); // The winner may have more to read.
            });
            if (answer) {
                gateway->note_answer(now_since_boot() - began);
            } else if (answer.error().code != Errc::cancelled) {
                note(gateway, answer.error());
            }
            const std::lock_guard lock(state->mutex);
            if (!answer) {
                state->failed.push_back({gateway, std::move(answer).take_error()});
            } else if (!state->over.load()) {
                has_won->store(true);
                state->over.store(true);
                state->won.emplace(Won<T>{std::move(answer).take(), gateway});
            }
            state->changed.notify_all();
        });
    };
    std::unique_lock lock(state->mutex);
    std::size_t started = 0;
    while (!state->won && state->failed.size() < gateways.size()) {
        const std::size_t failures = state->failed.size();
        if (started < gateways.size()) {
            start(gateways[started++]);
        }
        const auto news = [&] { return state->won || state->failed.size() != failures; };
        if (started < gateways.size()) {
            state->changed.wait_for(lock, next_after, news);
        } else {
            state->changed.wait(lock, news);
        }
    }
    state->over = true;
    for (Failed& failure : state->failed) {
        failed.push_back(std::move(failure));
    }
    return std::exchange(state->won, std::nullopt);
}

} // namespace ic::gateway
