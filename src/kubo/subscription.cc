#include "kubo/subscription.h"

#include "kubo/pubsub.h"

#include <exception>
#include <utility>

namespace ic::kubo {

Subscription::Subscription(Rpc& rpc, SubscriptionOptions options)
    : rpc_(rpc)
    , options_(std::move(options))
    , thread_([this] { run(); }) {}

Subscription::~Subscription() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    ended_.notify_all();
    thread_.join();
}

Subscription::Counters Subscription::counters() const {
    return {.messages = messages_, .bad_lines = bad_lines_, .connections = connections_};
}

void Subscription::run() {
    while (!ending_) {
        std::optional<Error> reason;
        up_since_.reset();
        quiet_since_.reset();
        try {
            reason = listen();
            if (!ending_ && !reason) {
                continue;
            }
            if (!ending_) {
                tell({.down = reason});
            }
        } catch (const std::exception&) { // Of a library, or no memory: as if it had not come up.
            up_since_.reset();
        }
        if (up_since_ && rpc_.now() - *up_since_ >= limits::settled_after) {
            failures_ = 0;
        }
        ++failures_;
        pause(backoff(options_.retry, failures_, rpc_.random()));
    }
}

bool Subscription::is_to_be_renewed() const {
    return up_since_ && rpc_.now() - *up_since_ >= options_.renewed_after;
}

std::optional<Error> Subscription::stop() {
    if (ending_) {
        return Error{Errc::cancelled, "no longer listened to"};
    }
    if (is_to_be_renewed()) {
        return Error{Errc::cancelled, "listened to anew"};
    }
    const bool is_quiet = quiet_since_ && rpc_.now() - *quiet_since_ >= options_.probed_after;
    return is_quiet ? probe() : std::nullopt;
}

/// On another connection than the one that is listened on.
std::optional<Error> Subscription::probe() {
    // The call asks `stop` itself.
    const std::optional<Instant> quiet_since = std::exchange(quiet_since_, std::nullopt);
    Result<Bytes> answer =
        rpc_.call({.command = "version", .total_time_max = limits::probe_time_max, .stop = [this] {
                       return stop();
                   }});
    if (!answer && is_not_asked(answer.error())) { // That says nothing new; soon again.
        quiet_since_ = quiet_since;
        return std::nullopt;
    }
    quiet_since_ = rpc_.now();
    if (answer || answer.error().code != Errc::unavailable) {
        probes_failed_ = 0; // Somebody is there.
        return std::nullopt;
    }
    if (++probes_failed_ < limits::probes_failed_max) {
        return std::nullopt;
    }
    return std::move(answer).take_error().during("Kubo is silent");
}

std::optional<Error> Subscription::listen() {
    // `stop` ends it before its time is over.
    const std::unique_ptr<RpcAnswer> answer = TRY(pubsub_subscribe(
        rpc_, options_.topic, 2 * options_.renewed_after, [this] { return stop(); }));
    ++connections_;
    up_since_ = rpc_.now();
    bad_lines_in_a_row_ = 0;
    probes_failed_ = 0;
    quiet_since_ = up_since_;
    tell({.down = std::nullopt});
    while (!ending_) {
        Result<std::optional<std::string>> line = answer->read_line(limits::pubsub_line_bytes_max);
        if (!line && line.error().code == Errc::cancelled && is_to_be_renewed()) {
            return std::nullopt;
        }
        const std::optional<std::string> whole = TRY(std::move(line));
        if (!whole) {
            return Error{Errc::unavailable, answer->where() + ": Kubo ended the subscription"};
        }
        quiet_since_ = rpc_.now();
        if (std::optional<Error> error = take_line(*whole)) {
            return std::move(*error).during(answer->where());
        }
    }
    return Error{Errc::cancelled, "no longer listened to"};
}

std::optional<Error> Subscription::take_line(const std::string& line) {
    if (line.empty() || line == "\r") {
        return std::nullopt;
    }
    Result<PubsubMessage> message = decode_pubsub_line(line);
    if (message) {
        bad_lines_in_a_row_ = 0;
        failures_ = 0;
        ++messages_;
        options_.on_message(std::move(message).take());
        return std::nullopt;
    }
    ++bad_lines_;
    if (++bad_lines_in_a_row_ >= limits::bad_lines_max) {
        return std::move(message).take_error();
    }
    return std::nullopt;
}

void Subscription::tell(SubscriptionState state) {
    const bool is_news = !told_ || told_->is_up() != state.is_up() ||
                         (told_->down && told_->down->code != state.down->code);
    if (!is_news) {
        return;
    }
    told_ = state;
    if (options_.on_state) {
        options_.on_state(state);
    }
}

void Subscription::pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, time, [this] { return ending_.load(); });
}

} // namespace ic::kubo
