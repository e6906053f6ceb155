#pragma once
/// UnsignedTopic: jobs that nobody signed (docs/formats/unsigned-job.md), of the Kubo peers that
/// policy names.

#include "base/time.h"
#include "job/unsigned_job.h"
#include "kubo/pubsub_line.h"
#include "log/entry.h"
#include "net/event_loop.h"
#include "transport/kubo/token_bucket.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ic::transport {

namespace limits {
/// Ours, all of them. Of one peer that is named: each costs a signature and a line of the ledger.
inline constexpr TokenBucket::Rate unsigned_jobs_per_peer{.per_second = 10, .at_once = 100};
/// Peers that are refused and of whom a line was noted; of more nothing is noted.
inline constexpr std::size_t unsigned_refusals_noted_max = 1'024;
/// Heard, and not yet taken by the loop.
inline constexpr std::size_t unsigned_jobs_waiting_max = 256;
} // namespace limits

/// The first ipfs-compute's.
inline constexpr std::string_view unsigned_topic_name = "ipfs-compute";

struct HeardUnsigned {
    job::UnsignedJob job;
    job::UnsignedOrigin origin;
};

struct UnsignedTopicOptions {
    std::vector<std::string> peers; ///< Peer IDs as Kubo writes them; of others nothing is taken.
    std::function<void(HeardUnsigned)> on_job; ///< On the loop's thread.
    log::Sink note;                            ///< For the operator, there too.
};

/// Threads: the loop's, but for `hear` and `counters`. Lifetime: within the loop's; whoever calls
/// `hear` has ended before it goes.
class UnsignedTopic {
public:
    struct Counters {
        std::uint64_t heard = 0;    ///< Jobs taken.
        std::uint64_t refused = 0;  ///< Messages of peers that are not named.
        std::uint64_t too_many = 0; ///< Of one peer, or for the loop.
        std::uint64_t bad = 0;      ///< Of a named peer, and no job that runs here.
    };

    UnsignedTopic(net::EventLoop& loop, UnsignedTopicOptions options);
    UnsignedTopic(const UnsignedTopic&) = delete;
    UnsignedTopic& operator=(const UnsignedTopic&) = delete;
    ~UnsignedTopic();

    /// What pubsub delivered. Threads: any, one at a time in turn.
    void hear(const kubo::PubsubMessage& message);

    Counters counters() const;

private:
    std::atomic<std::uint64_t>& judge(const kubo::PubsubMessage& message);
    void refuse(const std::string& peer);
    void post(std::function<void()> work);

    net::EventLoop& loop_;
    const UnsignedTopicOptions options_;

    std::mutex hearing_; ///< Of what `hear` remembers.
    std::map<std::string, TokenBucket> buckets_;
    std::set<std::string> refused_;

    struct AtomicCounters {
        std::atomic<std::uint64_t> heard{0}, refused{0}, too_many{0}, bad{0};
    };
    AtomicCounters counts_;
    std::atomic<std::size_t> waiting_{0};
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace ic::transport
