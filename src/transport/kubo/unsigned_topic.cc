#include "transport/kubo/unsigned_topic.h"

#include <algorithm>
#include <utility>

namespace ic::transport {

UnsignedTopic::UnsignedTopic(net::EventLoop& loop, UnsignedTopicOptions options)
    : loop_(loop)
    , options_(std::move(options)) {}

UnsignedTopic::~UnsignedTopic() { *alive_ = false; }

void UnsignedTopic::hear(const kubo::PubsubMessage& message) {
    const std::lock_guard lock(hearing_);
    ++judge(message);
}

/// What became of a message: the counter for it. Of strangers nothing is looked at but the name.
std::atomic<std::uint64_t>& UnsignedTopic::judge(const kubo::PubsubMessage& message) {
    if (std::ranges::find(options_.peers, message.from) == options_.peers.end()) {
        refuse(message.from);
        return counts_.refused;
    }
    const Instant now = now_since_boot();
    TokenBucket& bucket =
        buckets_.try_emplace(message.from, limits::unsigned_jobs_per_peer, now).first->second;
    if (!bucket.take(now) || waiting_ >= limits::unsigned_jobs_waiting_max) {
        return counts_.too_many;
    }
    Result<job::UnsignedJob> read = job::read_unsigned_job(message.data);
    ++waiting_;
    if (!read) {
        post([this, peer = message.from, why = read.error().message] {
            options_.note(log::Level::warning,
                          "an unsigned job of Kubo peer " + peer + " is not taken: " + why,
                          {{"peer", peer}});
        });
        return counts_.bad;
    }
    post([this,
          heard = HeardUnsigned{.job = std::move(read).take(),
                                .origin = {.peer = message.from, .seqno = message.seqno}}] {
        options_.on_job(heard);
    });
    return counts_.heard;
}

/// Counted each time, noted once.
void UnsignedTopic::refuse(const std::string& peer) {
    if (refused_.size() >= limits::unsigned_refusals_noted_max || !refused_.insert(peer).second) {
        return;
    }
    ++waiting_;
    post([this, peer] {
        options_.note(log::Level::warning,
                      "unsigned jobs of Kubo peer " + peer +
                          " are refused; if you know whose it is, add it to the setting "
                          "policy.unsigned_peers",
                      {{"peer", peer}});
    });
}

/// Requires: counted as waiting.
void UnsignedTopic::post(std::function<void()> work) {
    loop_.post([this, is_alive = alive_, work = std::move(work)] {
        if (*is_alive) {
            --waiting_;
            work();
        }
    });
}

UnsignedTopic::Counters UnsignedTopic::counters() const {
    return {.heard = counts_.heard,
            .refused = counts_.refused,
            .too_many = counts_.too_many,
            .bad = counts_.bad};
}

} // namespace ic::transport
