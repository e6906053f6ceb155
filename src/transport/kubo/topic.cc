#include "transport/kubo/topic.h"

#include <algorithm>
#include <utility>

namespace ic::transport {
namespace {

/// What a packet has beside its messages: keys, addresses at their most, heads.
constexpr std::size_t packet_overhead_max =
    2 * job::limits::packet_addresses_max * (job::limits::packet_address_bytes_max + 3) + 512;
constexpr std::size_t messages_bytes_max = job::limits::packet_bytes_max - packet_overhead_max;
/// A message's head in the list.
constexpr std::size_t message_overhead = 5;

static_assert(messages_bytes_max > job::limits::message_bytes_max + message_overhead);

} // namespace

Topic::Topic(net::EventLoop& loop, TopicOptions options)
    : loop_(loop)
    , options_(std::move(options))
    , strangers_(limits::packets_of_strangers, now_since_boot()) {}

Topic::~Topic() {
    *alive_ = false;
    loop_.cancel(flush_timer_);
}

// --- saying --------------------------------------------------------------------------------------

void Topic::say(const job::Message& message, const std::optional<job::Instance>& to) {
    Bytes bytes = job::encode(message);
    if (said_bytes_ + bytes.size() > limits::said_bytes_max) {
        ++counts_.not_said;
        return;
    }
    said_bytes_ += bytes.size();
    said_.push_back({.to = to, .message = std::move(bytes)});
    if (!flush_is_due_) {
        flush_is_due_ = true;
        flush_timer_ = loop_.at(last_packet_ + options_.gap, [this] { flush(); });
    }
}

void Topic::show() {
    if (said_.empty()) {
        publish(std::nullopt, {});
    } else {
        flush(); // Whatever it says, it says where we are.
    }
}

/// One packet for each addressee in turn, as long as what follows is for the same one and fits.
void Topic::flush() {
    loop_.cancel(flush_timer_);
    flush_is_due_ = false;
    std::vector<Bytes> messages;
    std::size_t bytes = 0;
    std::optional<job::Instance> to;
    for (Said& said : std::exchange(said_, {})) {
        const std::size_t more = said.message.size() + message_overhead;
        if (!messages.empty() && (said.to != to || bytes + more > messages_bytes_max ||
                                  messages.size() == job::limits::packet_messages_max)) {
            publish(to, std::exchange(messages, {}));
            bytes = 0;
        }
        to = said.to;
        bytes += more;
        messages.push_back(std::move(said.message));
    }
    said_bytes_ = 0;
    publish(to, std::move(messages));
}

void Topic::publish(const std::optional<job::Instance>& to, std::vector<Bytes> messages) {
    const job::Packet packet{.key = options_.key->public_key(),
                             .from = options_.self,
                             .sequence = ++sequence_,
                             .to = to,
                             .at = reach_.at,
                             .providers = reach_.providers,
                             .messages = std::move(messages)};
    last_packet_ = now_since_boot();
    Result<Bytes> bytes = job::sign_packet(packet, *options_.key);
    if (!bytes) {
        counts_.not_said += packet.messages.size(); // Unreachable by the bounds above.
        return;
    }
    counts_.said += packet.messages.size();
    ++counts_.packets;
    options_.publish(std::move(bytes).take());
}

// --- hearing -------------------------------------------------------------------------------------

void Topic::hear(const kubo::PubsubMessage& message) {
    const std::lock_guard lock(hearing_);
    ++judge(message);
}

/// What became of a message: the counter for it. The cheap looks come first.
std::atomic<std::uint64_t>& Topic::judge(const kubo::PubsubMessage& message) {
    Result<job::Packet> read = job::read_packet(message.data);
    if (!read) {
        return counts_.bad;
    }
    if (read->from == options_.self) {
        return counts_.own;
    }
    if (read->to && *read->to != options_.self) {
        return counts_.for_others;
    }
    if (!options_.is_trusted(read->key)) {
        judge_stranger(message, std::move(read).take());
        return counts_.not_trusted;
    }
    if (!may_be_checked(message.from)) {
        return counts_.too_many;
    }
    if (!job::verify_packet(message.data, *read)) {
        return counts_.bad;
    }
    // Only now: a sequence that nobody signed must not keep out one that is.
    if (!is_new(*read)) {
        return counts_.seen_before;
    }
    if (waiting_ >= limits::packets_waiting_max) {
        return counts_.too_many;
    }
    pass_on(std::move(read).take(), options_.on_heard);
    return counts_.heard;
}

/// Whatever they say, they are not trusted: what becomes of it is only for people to see.
void Topic::judge_stranger(const kubo::PubsubMessage& message, job::Packet packet) {
    if (options_.on_stranger && !packet.to && !packet.messages.empty() &&
        waiting_ < limits::packets_waiting_max && strangers_.take(now_since_boot()) &&
        job::verify_packet(message.data, packet)) {
        pass_on(std::move(packet), options_.on_stranger);
    }
}

bool Topic::may_be_checked(const std::string& sender) {
    const Instant now = now_since_boot();
    if (senders_.size() >= limits::senders_max && !senders_.contains(sender)) {
        senders_.clear(); // Full buckets for all is the worst that comes of it.
    }
    return senders_.try_emplace(sender, limits::packets_per_sender, now).first->second.take(now);
}

bool Topic::is_new(const job::Packet& packet) {
    const std::pair speaker{packet.key, packet.from};
    if (speakers_.size() >= options_.speakers_max && !speakers_.contains(speaker)) {
        speakers_.erase(std::ranges::min_element(
            speakers_, {}, [](const auto& entry) { return entry.second.heard_at; }));
    }
    Speaker& known = speakers_[speaker];
    known.heard_at = ++hearings_;
    return known.seen.is_new(packet.sequence);
}

void Topic::pass_on(job::Packet packet, const std::function<void(Heard)>& to) {
    Heard heard{.from = {.instance = packet.from, .key = packet.key, .at = std::move(packet.at)},
                .providers = std::move(packet.providers),
                .for_us_alone = packet.to.has_value(),
                .messages = {}};
    heard.messages.reserve(packet.messages.size());
    for (const Bytes& bytes : packet.messages) {
        if (Result<job::Message> message = job::decode(bytes)) {
            heard.messages.push_back(std::move(message).take());
        }
    }
    ++waiting_;
    // `to` is one of the options', which live as long as this.
    loop_.post([this, &to, is_alive = alive_, heard = std::move(heard)]() mutable {
        if (*is_alive) {
            --waiting_;
            to(std::move(heard));
        }
    });
}

Topic::Counters Topic::counters() const {
    return {.said = counts_.said,
            .packets = counts_.packets,
            .heard = counts_.heard,
            .own = counts_.own,
            .for_others = counts_.for_others,
            .not_trusted = counts_.not_trusted,
            .seen_before = counts_.seen_before,
            .too_many = counts_.too_many,
            .bad = counts_.bad,
            .not_said = counts_.not_said};
}

} // namespace ic::transport
