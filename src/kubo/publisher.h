#pragma once
/// Publisher: hints on topics of a Kubo's pubsub, one after another.

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "kubo/backoff.h"
#include "kubo/publish_lock.h"
#include "kubo/rpc.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace ic::kubo {

namespace limits {
/// Ours: how long a publisher waits for the others of this machine; then it goes ahead, since one
/// of them may hang, and what collides is tried again.
inline constexpr std::chrono::milliseconds publish_lock_wait_max{1'000};
} // namespace limits

struct PublisherOptions {
    /// Where publishers through one Kubo meet (a file per peer ID): the same for all processes.
    std::string lock_folder;
    std::size_t items_max = 1024;
    std::size_t bytes_max = 8U << 20U; ///< Of data; one message alone may be larger.
    /// A hint that could not be sent for so long is given up: by then it is no news.
    std::chrono::milliseconds age_max{10'000};
    /// Between two messages through one Kubo: its peers check several at once and drop those that
    /// are overtaken.
    std::chrono::milliseconds gap{2};
    RetryPolicy retry{};      ///< After a failure, until `age_max`; `attempts_max` does not apply.
    RetryPolicy ignored_retry{///< The same after "validation ignored".
                              .attempts_max = 0,
                              .backoff_first = std::chrono::milliseconds(5),
                              .backoff_max = std::chrono::milliseconds(100)};
};

/// Sends what it is given in order, on a thread of its own, one message at a time over all
/// publishers of this machine that use the same Kubo and folder. What is sent is a hint: Kubo's 200
/// says that it took the message, never that a peer has it, and a message that was refused may have
/// got out all the same; so receivers tolerate both, and who must be heard says it again.
/// When the queue is full, the oldest hint makes room. Threads: any. Lifetime: within that of
/// `rpc`; the destructor drops what is queued and returns within 200 ms.
class Publisher {
public:
    struct Counters {
        std::uint64_t published = 0;    ///< Taken by Kubo.
        std::uint64_t retried = 0;      ///< Attempts that failed and were followed by another.
        std::uint64_t dropped = 0;      ///< Never sent: no room, too old, or the end of this.
        std::uint64_t failed = 0;       ///< Tried, and given up.
        std::uint64_t unserialised = 0; ///< Sent without the lock: it was not to be had.
    };

    Publisher(Rpc& rpc, PublisherOptions options);
    Publisher(const Publisher&) = delete;
    Publisher& operator=(const Publisher&) = delete;
    ~Publisher();

    /// Queues a hint. Errors: too_large, as `pubsub_publish`.
    Result<void> publish(std::string topic, Bytes data);

    /// Waits until nothing is queued or being sent, for at most `time`; whether that is so.
    bool drain(std::chrono::milliseconds time);

    Counters counters() const;

    /// What the last failure was; nothing if there was none since the last success.
    std::optional<Error> last_failure() const;

private:
    struct Item {
        std::string topic;
        Bytes data;
        Instant since;
    };

    void run();
    void send(const Item& item);
    Result<void> send_once(const Item& item);
    Result<bool> lock();
    void note(std::optional<Error> failure);
    void pause(std::chrono::milliseconds time);
    Stop stop() const;

    Rpc& rpc_;
    const PublisherOptions options_;
    std::atomic<bool> ending_{false};
    std::atomic<std::uint64_t> published_{0};
    std::atomic<std::uint64_t> retried_{0};
    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<std::uint64_t> failed_{0};
    std::atomic<std::uint64_t> unserialised_{0};
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Item> queue_;
    std::size_t queued_bytes_ = 0;
    bool is_sending_ = false;
    std::optional<Error> last_failure_;
    std::optional<PublishLock> lock_; ///< Of the thread; none until the peer is known.
    std::thread thread_;              // Last: it uses all of the above.
};

} // namespace ic::kubo
