#pragma once
/// Topic: packets (docs/formats/packet.md) on a topic of Kubo's pubsub: what is said to all nodes,
/// and what is heard of them.

#include "base/bytes.h"
#include "base/time.h"
#include "identity/key.h"
#include "job/message.h"
#include "job/packet.h"
#include "kubo/pubsub_line.h"
#include "net/event_loop.h"
#include "transport/contact.h"
#include "transport/kubo/token_bucket.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ic::transport {

namespace limits {
/// Ours, all of them. Of one Kubo peer, whose name its Kubo has made sure of: packets whose
/// signature is looked at (123 us each). The rest is dropped.
inline constexpr TokenBucket::Rate packets_per_sender{.per_second = 1'000, .at_once = 2'000};
/// Of all strangers together, so that people can be told of them: whoever they are.
inline constexpr TokenBucket::Rate packets_of_strangers{.per_second = 4, .at_once = 32};
inline constexpr std::size_t senders_max = 1'024;   ///< Remembered for that.
inline constexpr std::size_t speakers_max = 16'384; ///< Instances whose sequences are known.
/// Heard, and not yet taken by the loop; beyond it packets are dropped.
inline constexpr std::size_t packets_waiting_max = 4'096;
/// Said, and not yet handed to the publisher; beyond it messages are dropped.
inline constexpr std::size_t said_bytes_max = 8U << 20U;
} // namespace limits

/// The topic of version 1; its last part is the shard: a prefix of the job's hash, in bits. There
/// is one shard, of no bits.
inline constexpr std::string_view topic_name = "ipfs-compute/1/0";

/// How this process can be reached, for its packets.
struct Reach {
    std::vector<std::string> at;
    std::vector<std::string> providers;
};

/// A packet, read and found authentic.
struct Heard {
    Contact from;
    std::vector<std::string> providers;
    bool for_us_alone = false;
    std::vector<job::Message> messages;
};

struct TopicOptions {
    job::Instance self;
    const PrivateKey* key = nullptr; ///< Lifetime: longer than the topic's.
    /// Threads: called on those that call `hear`.
    std::function<bool(const PublicKey&)> is_trusted;
    /// Hands a packet to pubsub. Must not block.
    std::function<void(Bytes packet)> publish;
    /// On the loop's thread: what somebody said who is trusted.
    std::function<void(Heard)> on_heard;
    /// Likewise what others said to all, of which a few a second are listened to. May be empty.
    std::function<void(Heard)> on_stranger{};
    /// What is said within this time of the last packet goes together into the next: each costs
    /// every node a signature's check.
    std::chrono::milliseconds gap{5};
    std::size_t speakers_max = limits::speakers_max;
};

/// Nothing here is sure to arrive: who must be heard says it again.
/// Threads: the loop's, but for `hear` and `counters`. Lifetime: within the loop's; whoever calls
/// `hear` has ended before it goes.
class Topic {
public:
    struct Counters {
        std::uint64_t said = 0;    ///< Messages in packets that were handed on.
        std::uint64_t packets = 0; ///< Handed on.
        std::uint64_t heard = 0;   ///< Packets taken.
        std::uint64_t own = 0;
        std::uint64_t for_others = 0;
        std::uint64_t not_trusted = 0;
        std::uint64_t seen_before = 0;
        std::uint64_t too_many = 0; ///< Of one sender, or for the loop.
        std::uint64_t bad = 0;      ///< Not decoded, or not authentic.
        std::uint64_t not_said = 0; ///< Messages for which there was no room.
    };

    Topic(net::EventLoop& loop, TopicOptions options);
    Topic(const Topic&) = delete;
    Topic& operator=(const Topic&) = delete;
    ~Topic();

    /// What packets say from here on.
    void reach(Reach reach) { reach_ = std::move(reach); }

    void announce(const job::Message& message) { say(message, std::nullopt); }

    /// To one process, over everybody: where there is no other way.
    void send(const job::Instance& to, const job::Message& message) { say(message, to); }

    /// A packet at once, even if there is nothing to say.
    void show();

    /// What pubsub delivered. Threads: any, one at a time in turn.
    void hear(const kubo::PubsubMessage& message);

    Counters counters() const;

private:
    struct Said {
        std::optional<job::Instance> to;
        Bytes message;
    };

    void say(const job::Message& message, const std::optional<job::Instance>& to);
    void flush();
    void publish(const std::optional<job::Instance>& to, std::vector<Bytes> messages);
    bool may_be_checked(const std::string& sender);
    bool is_new(const job::Packet& packet);
    std::atomic<std::uint64_t>& judge(const kubo::PubsubMessage& message);
    void judge_stranger(const kubo::PubsubMessage& message, job::Packet packet);
    void pass_on(job::Packet packet, const std::function<void(Heard)>& to);

    net::EventLoop& loop_;
    const TopicOptions options_;
    Reach reach_;
    std::vector<Said> said_;
    std::size_t said_bytes_ = 0;
    bool flush_is_due_ = false;
    net::TimerId flush_timer_;
    Instant last_packet_{};
    std::uint64_t sequence_ = 0;

    std::mutex hearing_; ///< Of what `hear` remembers.
    std::map<std::string, TokenBucket> senders_;
    TokenBucket strangers_;
    struct Speaker {
        job::SeenSequences seen;
        std::uint64_t heard_at = 0;
    };
    std::map<std::pair<PublicKey, job::Instance>, Speaker> speakers_;
    std::uint64_t hearings_ = 0;

    struct AtomicCounters {
        std::atomic<std::uint64_t> said{0}, packets{0}, heard{0}, own{0}, for_others{0},
            not_trusted{0}, seen_before{0}, too_many{0}, bad{0}, not_said{0};
    };
    AtomicCounters counts_;
    std::atomic<std::size_t> waiting_{0};
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace ic::transport
