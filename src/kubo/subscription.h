#pragma once
/// Subscription: a topic of a Kubo's pubsub, listened to for as long as this lives.

#include "base/result.h"
#include "kubo/backoff.h"
#include "kubo/pubsub_line.h"
#include "kubo/rpc.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace ic::kubo {

namespace limits {
/// Ours: bad lines in a row after which what answers is no Kubo's pubsub.
inline constexpr int bad_lines_max = 8;
/// Ours: a connection that was up for this long is no failure: the next pause is a short one.
inline constexpr std::chrono::seconds settled_after{5};
/// Ours: how long a Kubo may take to say that it is there, and how often it may fail to.
inline constexpr std::chrono::milliseconds probe_time_max{5'000};
inline constexpr int probes_failed_max = 2;
} // namespace limits

/// Whether Kubo listens for us now.
struct SubscriptionState {
    /// Why it does not; nothing while it does. What came meanwhile is lost: pubsub has no history.
    std::optional<Error> down;

    bool is_up() const { return !down; }
};

struct SubscriptionOptions {
    std::string topic;
    /// Called in the order of arrival. A callback that takes long makes Kubo drop messages.
    std::function<void(PubsubMessage)> on_message;
    /// Called when it comes up, when it goes down, and when it stays down for another reason
    /// (code).
    std::function<void(const SubscriptionState&)> on_state;
    RetryPolicy retry{}; ///< For ever; `attempts_max` does not apply.
    /// When nothing came for so long, Kubo is asked whether it is there (`version`). One that was
    /// told to end closes its door at once, but neither ends nor says so while we listen, for 30 s
    /// (measured, 0.43); one that hangs never does.
    std::chrono::milliseconds probed_after{2'000};
    /// The connection is made anew after this, if it stays up so long. That is no news, unless it
    /// does not come up again.
    std::chrono::milliseconds renewed_after = std::chrono::hours(24);
};

/// Keeps `pubsub/sub` open, again and again with growing pauses while that fails. Lines that are no
/// messages are counted and passed over. Threads: both callbacks are called on one of its own; the
/// rest: any. Lifetime: within that of `rpc`; the destructor returns within 200 ms, or when the
/// callback that is running does.
class Subscription {
public:
    struct Counters {
        std::uint64_t messages = 0;
        std::uint64_t bad_lines = 0;
        std::uint64_t connections = 0; ///< Times it came up.
    };

    Subscription(Rpc& rpc, SubscriptionOptions options);
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;
    ~Subscription();

    Counters counters() const;

private:
    void run();
    /// Returns when the connection is over, with the reason; nothing if it is to be made anew.
    std::optional<Error> listen();
    /// Why not to go on, if so.
    std::optional<Error> take_line(const std::string& line);
    /// Why not to go on listening, if so.
    std::optional<Error> stop();
    bool is_to_be_renewed() const;
    std::optional<Error> probe();
    void tell(SubscriptionState state);
    void pause(std::chrono::milliseconds time);

    Rpc& rpc_;
    const SubscriptionOptions options_;
    std::atomic<bool> ending_{false};
    std::atomic<std::uint64_t> messages_{0};
    std::atomic<std::uint64_t> bad_lines_{0};
    std::atomic<std::uint64_t> connections_{0};
    std::mutex mutex_;
    std::condition_variable ended_;
    // Of the thread.
    int bad_lines_in_a_row_ = 0;
    int failures_ = 0; ///< In a row.
    int probes_failed_ = 0;
    std::optional<Instant> up_since_;
    std::optional<Instant> quiet_since_; ///< Since a line or a probe; none while it is not up.
    std::optional<SubscriptionState> told_;
    std::thread thread_; // Last: it uses all of the above.
};

} // namespace ic::kubo
